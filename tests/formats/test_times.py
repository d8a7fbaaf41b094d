"""Timestamps are read strictly and written in one form."""

from datetime import UTC, datetime

import pytest

from sukkal.formats.times import instant, naive_utc, rfc3339, rfc3339_of_ms


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1985-04-12T23:20:50.52Z", datetime(1985, 4, 12, 23, 20, 50, 520_000, UTC)),
        ("1996-12-19T16:39:57-08:00", datetime(1996, 12, 20, 0, 39, 57, 0, UTC)),
        ("1990-12-31T15:59:60-08:00", datetime(1990, 12, 31, 23, 59, 59, 0, UTC)),
        ("2026-01-31t09:30:00.1234567z", datetime(2026, 1, 31, 9, 30, 0, 123_456, UTC)),
        ("2026-01-31T09:30:00+23:59", datetime(2026, 1, 30, 9, 31, 0, 0, UTC)),
    ],
)
def test_a_timestamp_of_rfc_3339_is_a_moment(text: str, moment: datetime) -> None:
    assert instant(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31",
        "2026-01-31T09:30Z",
        "2026-01-31T09:30:00",
        "2026-01-31T09:30:00.Z",
        "2026-01-31T09:30:00+0100",
        "2026-01-31T09:30:00+24:00",
        "2026-01-31T24:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "2026-01-31T09:30:00Z\n",
        "٢٠٢٦-01-31T09:30:00Z",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert instant(text) is None


@pytest.mark.parametrize("text", ["2026-01-31 09:30:00", "2026-01-31T09:30:00", "2026-01-31 09:30:00.000001"])
def test_a_timestamp_without_a_zone_is_utc(text: str) -> None:
    moment = naive_utc(text)
    assert moment is not None
    assert rfc3339(moment) == text.replace(" ", "T") + "Z"


@pytest.mark.parametrize("text", [None, 5, "", "2026-01-31", "2026-01-31 09:30:00+00:00", "2026-02-30 00:00:00"])
def test_what_is_no_such_timestamp_is_none(text: object) -> None:
    assert naive_utc(text) is None


@pytest.mark.parametrize(
    ("moment_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_001, "2023-11-14T22:13:20.001Z"),
        (10**18, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_milliseconds_are_written_as_a_timestamp_as_far_as_the_calendar_goes(moment_ms: int, text: str) -> None:
    assert rfc3339_of_ms(moment_ms) == text

"""CloudEvents in JSON: what is taken, what is refused, and what expirytime, source and id mean."""

import json
from typing import Any

import pytest

from sukkal import limits
from sukkal.errors import InvalidBody, InvalidEvent
from sukkal.format import Event
from sukkal.formats import cloudevents

LEAST: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
NOW_MS = 1_700_000_000_000  # 2023-11-14T22:13:20Z


def event(**extensions: Any) -> Event:
    return cloudevents.event_of_document(LEAST | extensions)


def test_an_event_with_all_attributes_is_read_and_written_as_it_was() -> None:
    document = LEAST | {
        "subject": "é",
        "time": "1985-04-12T23:20:50.52-02:00",
        "datacontenttype": 'application/json; charset="utf-8"',
        "dataschema": "urn:os:nova:ServiceStatusPayload:1.0",
        "text": "",
        "number": -2_147_483_648,
        "flag": True,
        "data": {"b": 1, "a": [1.50]},
    }
    text = json.dumps(document)
    assert json.loads(cloudevents.encode(cloudevents.decode(text.encode()))) == document


def test_numbers_keep_every_digit() -> None:
    numbers = b"[1.50,0.12345678901234567890123,1E+400,123456789012345678901234567890,-0.0]"
    text = b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":%b}' % numbers
    assert cloudevents.encode(cloudevents.decode(text)) == text


def test_an_attribute_that_is_null_is_absent() -> None:
    assert event(subject=None, time=None, extra=None, data=None) == event()


def test_data_in_base64_is_bytes() -> None:
    found = event(datacontenttype="image/png", data_base64="iVBORw==")
    assert found.data == b"\x89PNG"
    assert cloudevents.document_of(found)["data_base64"] == "iVBORw=="


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"specversion": 1.0}, "specversion"),
        ({"specversion": None}, "specversion"),
        ({"id": None}, "id"),
        ({"id": ""}, "id"),
        ({"id": 5}, "id"),
        ({"id": True}, "id"),
        ({"source": ""}, "source"),
        ({"source": "a b"}, "source"),
        ({"source": "/é"}, "source"),
        ({"source": "/%zz"}, "source"),
        ({"source": "/a#b#c"}, "source"),
        ({"type": ""}, "type"),
        ({"type": "a\x00b"}, "type"),
        ({"subject": ""}, "subject"),
        ({"subject": "\ufdd0"}, "subject"),
        ({"time": "yesterday"}, "time"),
        ({"time": "2026-02-30T00:00:00Z"}, "time"),
        ({"time": "2026-01-31T00:00:00"}, "time"),
        ({"time": "2026-01-31 00:00:00Z"}, "time"),
        ({"datacontenttype": "json"}, "datacontenttype"),
        ({"dataschema": "/relative"}, "dataschema"),
        ({"expirytime": "soon"}, "expirytime"),
        ({"expirytime": False}, "expirytime must be a string"),
        ({"expirytime": 5}, "expirytime must be a string"),
        ({"Upper": "x"}, "Upper"),
        ({"under_score": None}, "under_score"),
        ({"": "x"}, " cannot be the name"),
        ({"new\nline": "x"}, r"new\\nline"),
        ({"ext": 1.5}, "ext"),
        ({"ext": 2_147_483_648}, "ext"),
        ({"ext": {}}, "ext"),
        ({"ext": "\x7f"}, "ext"),
        ({"ext": "\x9f"}, "ext"),
        ({"ext": "\U0010ffff"}, "ext"),
        ({"data": 1, "data_base64": "AA=="}, "data_base64"),
        ({"data_base64": "?"}, "data_base64"),
        ({"data_base64": "é"}, "data_base64"),
        ({"data_base64": 1}, "data_base64"),
        ({"datacontenttype": "text/plain", "data": {}}, "data "),
    ],
)
def test_what_is_no_event_is_refused_with_the_name_of_the_attribute(members: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidEvent, match=named):
        cloudevents.event_of_document(LEAST | members)


@pytest.mark.parametrize("text", [b"1", b"[]", b"null", b'"x"'])
def test_an_event_is_an_object(text: bytes) -> None:
    with pytest.raises(InvalidEvent, match="object"):
        cloudevents.decode(text)


@pytest.mark.parametrize(
    "source", ["#", "?", "mailto:a@example.org", "//h/p", "urn:x:y", "https://[::1]:80/?q=%C3%A9#f", "1-555-123"]
)
def test_any_uri_reference_can_be_a_source(source: str) -> None:
    assert event(source=source).source == source


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b'"\xed\xa0\x80"', b"1e99999999999999999999", b"[" * 9_999])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidBody):
        cloudevents.decode(text)


def test_documents_are_nested_as_deeply_as_the_limit_says() -> None:
    def text(depth: int) -> bytes:
        return b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":%b%b}' % (b"[" * depth, b"]" * depth)

    deepest = text(limits.EVENT_NESTING_MAX - 1)
    assert cloudevents.encode(cloudevents.decode(deepest)) == deepest
    with pytest.raises(InvalidBody, match=str(limits.EVENT_NESTING_MAX)):
        cloudevents.decode(text(limits.EVENT_NESTING_MAX))


def test_a_batch_is_read_and_written_in_order() -> None:
    batch = [LEAST | {"id": str(number)} for number in range(5)]
    events = cloudevents.decode_batch(json.dumps(batch).encode())
    assert [each.id for each in events] == ["0", "1", "2", "3", "4"]
    assert json.loads(cloudevents.encode_batch(events)) == batch
    assert cloudevents.decode_batch(b"[]") == []
    assert cloudevents.encode_batch([]) == b"[]"


def test_a_batch_with_a_fault_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidEvent, match="Event 1 of the batch: id is missing"):
        cloudevents.decode_batch(json.dumps([LEAST, {**LEAST, "id": None}]).encode())
    with pytest.raises(InvalidBody, match="array"):
        cloudevents.decode_batch(json.dumps(LEAST).encode())
    with pytest.raises(InvalidBody, match=str(limits.MESSAGES_PER_POST_MAX)):
        cloudevents.decode_batch(json.dumps([LEAST] * (limits.MESSAGES_PER_POST_MAX + 1)).encode())


@pytest.mark.parametrize(
    ("expirytime", "ttl_s"),
    [
        ("2023-11-14T22:18:20Z", 300),
        ("2023-11-14T22:13:20.000001Z", 1),
        ("2023-11-14T22:13:21.5Z", 2),
        ("2023-11-14T22:13:20Z", 0),
        ("2020-01-01T00:00:00Z", 0),
        ("2023-11-14T23:14:20+01:00", 60),
        ("2023-11-14t21:14:20.0z", 0),
        ("9999-12-31T23:59:59.9999999-23:59", None),
    ],
)
def test_the_ttl_is_what_is_left_until_the_expirytime(expirytime: str, ttl_s: int | None) -> None:
    if ttl_s is None:
        with pytest.raises(InvalidEvent, match="expirytime"):
            event(expirytime=expirytime)
    else:
        assert cloudevents.ttl_s(event(expirytime=expirytime), NOW_MS) == ttl_s


def test_an_event_without_an_expirytime_says_nothing_of_a_ttl() -> None:
    assert cloudevents.ttl_s(event(), NOW_MS) is None
    assert cloudevents.ttl_s(Event(id="1", source="/s", type="t", extensions={"expirytime": 5}), NOW_MS) is None


def test_source_and_id_and_nothing_else_name_an_occurrence() -> None:
    assert cloudevents.identity(event(type="u", data=1)) == cloudevents.identity(event())
    names = {cloudevents.identity(event(source=source, id=id_)) for source in ("/s", "/s1") for id_ in ("1", "11", "é")}
    assert len(names) == 6
    assert all(len(name) <= limits.IDEMPOTENCY_KEY_CHARS_MAX for name in names)

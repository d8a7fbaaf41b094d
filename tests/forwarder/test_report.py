"""What the forwarder reports of its routes, and when."""

import asyncio
import logging

import pytest
from tests.forwarder.scripted import Letters, ScriptedPublisher, ScriptedSource, route

from sukkal.app.forwarding import _report
from sukkal.forwarder.building import Built


def test_the_first_report_waits_until_sources_had_time_to_connect(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    source = ScriptedSource()
    steps: list[object] = []

    async def waiting() -> int | None:
        steps.append("measured")
        return 7

    async def sleep(seconds: float) -> None:
        steps.append(seconds)
        if len(steps) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(source, "waiting", waiting)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    caplog.set_level(logging.INFO)
    built = Built([route(source, ScriptedPublisher(), Letters())], [], Letters())
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(_report(built, 30))
    assert steps == [2, "measured", 30]
    assert [record.__dict__["waiting"] for record in caplog.records if record.message == "lag"] == [7]

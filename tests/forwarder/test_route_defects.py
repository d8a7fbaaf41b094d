"""A route whose publisher or source has a defect: it loses nothing, and neither ends nor stands still."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from tests.forwarder.scripted import Letters, ScriptedPublisher, ScriptedSource, arrival, route
from tests.forwarder.test_route import Run, stopped

from sukkal.publisher import Notification
from sukkal.source import Arrival


class Raising(ScriptedPublisher):
    """Raises for a batch with a certain event, or tells of too few, so many times."""

    def __init__(self, poison: str, *, times: int = 99, raises: bool = True) -> None:
        super().__init__()
        self._poison = poison
        self._left = times
        self._raises = raises

    async def publish(self, notifications: Sequence[Notification]) -> Any:
        """Raise, or do as asked."""
        ids = [each.event.id for each in notifications]
        if self._poison in ids and self._left:
            self._left -= 1
            self.asked.append(ids)
            if self._raises:
                raise KeyError("a defect")
            return []
        return await super().publish(notifications)


@pytest.mark.parametrize("raises", [True, False])
def test_a_publisher_with_a_defect_is_asked_again(raises: bool, caplog: pytest.LogCaptureFixture) -> None:
    run = Run(arrival("1"), publisher=Raising("1", times=2, raises=raises))
    assert run.source.acknowledged == ["1"]
    assert (len(run.publisher.asked), run.letters.kept) == (3, [])
    assert ("the publisher raised" in caplog.text) is raises


@pytest.mark.parametrize("raises", [True, False])
def test_a_notification_that_no_publisher_survives_is_a_dead_letter_and_those_beside_it_are_not(raises: bool) -> None:
    run = Run(*[arrival(each) for each in "abpcd"], publisher=Raising("p", raises=raises))
    assert run.publisher.accepted == ["a", "b", "c", "d"]
    assert [body for body, _ in run.letters.kept] == [arrival("p").body]
    assert sorted(map(str, run.source.acknowledged)) == ["a", "b", "c", "d", "p"]
    # It came with others once, and alone for all its attempts.
    assert run.publisher.asked.count(["p"]) == 3


def test_a_notification_without_a_lane_is_a_dead_letter(caplog: pytest.LogCaptureFixture) -> None:
    class Laneless(ScriptedPublisher):
        def lane(self, notification: Notification) -> str:
            if notification.event.id == "p":
                raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
            return super().lane(notification)

    run = Run(arrival("p"), arrival("1"), publisher=Laneless())
    assert run.publisher.accepted == ["1"]
    assert [reason for _, reason in run.letters.kept] == ["The publisher raised UnicodeEncodeError; see the log."]
    assert run.source.acknowledged == ["p", "1"]


class Defective(ScriptedSource):
    """Raises once where the script has ``None``, or when it is to acknowledge."""

    def __init__(self, *script: Arrival | None, acknowledges: bool = True) -> None:
        super().__init__(*script)
        self._script_again = [each for each in script if each is not None]
        self._acknowledges = acknowledges
        self.closed = 0

    async def receive(self) -> AsyncIterator[Arrival]:
        """Bring the next ones, or raise what no source may."""
        while self._script:
            if (each := self._script.pop(0)) is None:
                raise KeyError("a defect")
            yield each
        if self._acknowledges:
            self.finished.set()
        await asyncio.Event().wait()

    async def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Raise the first time if told so."""
        if not self._acknowledges:
            self._acknowledges = True
            raise KeyError("a defect")
        await super().acknowledge(arrivals)

    async def close(self) -> None:
        """Bring everything again."""
        self.closed += 1
        self._script = list(self._script_again)


@pytest.mark.parametrize(
    "source",
    [Defective(arrival("1"), None, arrival("2")), Defective(arrival("1"), arrival("2"), acknowledges=False)],
    ids=["receiving", "acknowledging"],
)
def test_a_source_with_a_defect_is_closed_and_brings_again_what_was_not_acknowledged(
    source: Defective, caplog: pytest.LogCaptureFixture
) -> None:
    publisher, pauses_s = ScriptedPublisher(), list[float]()

    async def steps() -> None:
        async with asyncio.timeout(30):
            await stopped(route(source, publisher, Letters(), pauses_s), source)

    asyncio.run(steps())
    assert set(publisher.accepted) == {"1", "2"} == set(map(str, source.acknowledged))
    assert (source.closed, pauses_s) == (1, [0.25])
    assert "the route begins again" in caplog.text


def test_what_waits_is_unknown_if_the_source_raises(caplog: pytest.LogCaptureFixture) -> None:
    class Unknowing(ScriptedSource):
        async def waiting(self) -> int | None:
            raise KeyError("a defect")

    way = route(Unknowing(), ScriptedPublisher(), Letters())
    asyncio.run(way.measure())
    assert way.lag.waiting is None
    assert "the source raised" in caplog.text

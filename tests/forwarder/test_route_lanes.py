"""Lanes share a source's window: one that is refused leaves room for the others."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

from tests.forwarder.scripted import Letters, ScriptedPublisher, arrival, route

from sukkal.format import Event
from sukkal.forwarder.lanes import Flight, Lane
from sukkal.forwarder.pipeline import Passed
from sukkal.publisher import ACCEPTED, Notification, Verdict
from sukkal.source import Arrival

FULL = Verdict(accepted=False, reason="full", retry_after_s=5)
NOTIFICATION = Notification(event=Event(id="1", source="/s", type="t"), project="p-1")
BUSY = Verdict(accepted=False, reason="busy", everybody=True)


class Windowed:
    """Brings no more than its window while nothing is acknowledged. ``None`` in the script waits for a pause."""

    window = 10

    def __init__(self, *script: Arrival | None) -> None:
        self.paused = asyncio.Event()
        self.acknowledged: list[object] = []
        self._script = list(script)
        self._out = 0
        self._room = asyncio.Event()

    async def receive(self) -> AsyncIterator[Arrival]:
        """Bring the next ones."""
        while True:
            while self._out >= self.window or not self._script:
                self._room.clear()
                await self._room.wait()
            if (each := self._script.pop(0)) is None:
                await self.paused.wait()
            else:
                self._out += 1
                yield each

    async def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Make room."""
        self._out -= len(arrivals)
        self.acknowledged += [each.token for each in arrivals]
        self._room.set()

    async def waiting(self) -> int | None:
        """Return what is left of the script."""
        return len(self._script)

    async def close(self) -> None:
        """Do nothing."""


class Lanes:
    """A route that runs until it does nothing more without a pause's end: its pauses last for ever."""

    def __init__(self, judge: Callable[[Event], Verdict], *script: Arrival | None) -> None:
        self.publisher = ScriptedPublisher(judge)
        self.letters = Letters()
        self.asked = self.publisher.asked
        asyncio.run(self._run(script))

    async def _run(self, script: tuple[Arrival | None, ...]) -> None:
        self.source = Windowed(*script)
        way = route(self.source, self.publisher, self.letters)

        async def sleep(seconds: float) -> None:
            self.source.paused.set()
            await asyncio.Event().wait()

        way._pauses._sleep = sleep
        running = asyncio.create_task(way.run())
        for _ in range(1_000):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])


def refusing(verdict: Verdict) -> Callable[[Event], Verdict]:
    return lambda event: verdict if event.id.startswith("a") else ACCEPTED


def full(count: int) -> list[Arrival]:
    return [arrival(f"a{number}", project="full") for number in range(count)]


def test_a_project_that_takes_nothing_leaves_room_for_the_others() -> None:
    lanes = Lanes(refusing(FULL), *full(30), arrival("b", project="other"))
    assert lanes.publisher.accepted == ["b"]
    # What is given up for that was refused before, and is a dead letter.
    tried = Counter(id_ for batch in lanes.asked for id_ in batch)
    assert len(lanes.letters.kept) >= 20
    assert all(tried[str(token)] >= 1 for token in lanes.source.acknowledged)
    assert len(lanes.source.acknowledged) == len(lanes.letters.kept) + 1


def test_a_project_that_takes_nothing_has_its_pauses_while_it_holds_a_quarter_of_the_window() -> None:
    lanes = Lanes(refusing(FULL), *full(2), arrival("b", project="other"))
    assert lanes.publisher.accepted == ["b"]
    assert lanes.letters.kept == []
    assert lanes.asked.count(["a0", "a1"]) == 1


def test_a_publisher_that_takes_nothing_from_anybody_buries_nothing() -> None:
    lanes = Lanes(refusing(BUSY), *full(30), arrival("b", project="other"))
    assert (lanes.publisher.accepted, lanes.letters.kept, lanes.source.acknowledged) == ([], [], [])
    assert len(lanes.asked) == 1


def test_a_lane_that_becomes_crowded_during_a_pause_is_tried_again_at_once() -> None:
    lanes = Lanes(refusing(FULL), arrival("a", project="full"), None, *full(30), arrival("b", project="other"))
    assert lanes.asked.count(["a"]) == 2
    assert lanes.publisher.accepted == ["b"]
    assert lanes.letters.kept[0] == (arrival("a", project="full").body, "full")


def test_a_lane_is_crowded_by_what_is_tried_and_what_waits() -> None:
    flights = [Flight(Passed(("/s", str(number)), NOTIFICATION), []) for number in range(3)]
    lane = Lane(2)
    for flight in flights:
        lane.enter(flight)
    seen = [lane.is_crowded]
    assert lane.following(50) == flights[:2]
    seen.append(lane.is_crowded)
    lane.settle(1)
    seen.append(lane.is_crowded)
    assert seen == [True, True, False]
    assert lane.following(50) == flights[2:]
    lane.settle(1)
    assert lane.following(50) == []

"""A route: what is acknowledged when, what is tried again, and what becomes a dead letter."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.forwarder.scripted import Letters, ScriptedPublisher, ScriptedSource, arrival, route

from sukkal.format import Event
from sukkal.forwarder.pipeline import Pipeline
from sukkal.forwarder.route import Route
from sukkal.publisher import ACCEPTED, Verdict
from sukkal.source import Arrival

BUSY = Verdict(accepted=False, reason="busy", everybody=True)
LATER = Verdict(accepted=False, reason="too many", retry_after_s=7)
NEVER = Verdict(accepted=False, reason="too large", permanent=True)


class Run:
    """What became of some arrivals, after all were settled."""

    def __init__(
        self,
        *script: Arrival | None,
        judge: Callable[[Event], Verdict] = lambda event: ACCEPTED,
        publisher: Any = None,
    ) -> None:
        self.publisher = publisher or ScriptedPublisher(judge)
        self.letters = Letters()
        self.pauses_s: list[float] = []
        asyncio.run(self._run(script))

    async def _run(self, script: tuple[Arrival | None, ...]) -> None:
        self.source = ScriptedSource(*script)
        self.route = route(self.source, self.publisher, self.letters, self.pauses_s)
        async with asyncio.timeout(30):
            await stopped(self.route, self.source)


async def stopped(route: Route, source: ScriptedSource) -> None:
    """Let a route take everything and settle it."""
    running = asyncio.create_task(route.run())
    await source.finished.wait()
    route.stop()
    await running


def failing(times: int, verdict: Verdict, *ids: str) -> Callable[[Event], Verdict]:
    """Return a judge that gives the verdict to events so many times, each, and then accepts them."""
    seen: Counter[str] = Counter()

    def judge(event: Event) -> Verdict:
        seen[event.id] += 1
        return verdict if event.id in ids and seen[event.id] <= times else ACCEPTED

    return judge


def test_what_is_accepted_is_acknowledged_once_and_in_order() -> None:
    run = Run(*[arrival(str(number)) for number in range(10)])
    assert run.publisher.accepted == run.source.acknowledged == [str(number) for number in range(10)]
    assert max(map(len, run.publisher.asked)) == ScriptedPublisher.batch_max
    assert run.route.lag.accepted == 10
    assert run.pauses_s == []


def test_a_publisher_that_is_down_is_asked_for_as_long_as_it_takes_with_growing_pauses() -> None:
    run = Run(arrival("1"), arrival("2"), judge=failing(12, BUSY, "1", "2"))
    assert run.source.acknowledged == ["1", "2"]
    assert run.letters.kept == []
    assert run.pauses_s[:9] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert run.route.lag.failures == 12


def test_only_what_was_not_accepted_is_published_again() -> None:
    run = Run(arrival("1"), arrival("2"), arrival("3"), judge=failing(2, BUSY, "2"))
    assert run.publisher.accepted == ["1", "3", "2"]
    assert run.source.acknowledged == ["1", "3", "2"]


def test_no_lane_waits_for_another() -> None:
    run = Run(arrival("1", project="slow"), arrival("2"), arrival("3"), judge=failing(5, BUSY, "1"))
    assert run.publisher.accepted == ["2", "3", "1"]


def test_what_is_refused_for_good_is_a_dead_letter_and_holds_nothing_up() -> None:
    run = Run(arrival("1"), arrival("2"), judge=failing(99, NEVER, "1"))
    assert [reason for _, reason in run.letters.kept] == ["too large"]
    assert run.letters.kept[0][0] == arrival("1").body
    assert sorted(map(str, run.source.acknowledged)) == ["1", "2"]
    assert (run.route.lag.dead, run.route.lag.accepted) == (1, 1)
    assert run.pauses_s == []


def test_what_is_refused_again_and_again_is_given_up_and_the_next_in_its_lane_sooner() -> None:
    run = Run(*[arrival(str(number)) for number in range(6)], judge=failing(99, LATER, *"012345"))
    attempts = Counter(id_ for batch in run.publisher.asked for id_ in batch)
    assert (attempts["0"], attempts["5"]) == (3, 1)
    assert len(run.letters.kept) == 6
    assert sorted(map(str, run.source.acknowledged)) == list("012345")
    # It asked to be left alone for longer than the first pauses are.
    assert set(run.pauses_s) == {7}


def test_what_is_given_up_takes_nothing_with_it_that_only_waits() -> None:
    seen: Counter[str] = Counter()

    def judge(event: Event) -> Verdict:
        seen[event.id] += 1
        if event.id == "1":
            return LATER
        return BUSY if seen[event.id] < 6 else ACCEPTED

    run = Run(arrival("0"), arrival("1"), arrival("2"), judge=judge)
    assert run.publisher.accepted == ["0", "2"]
    assert [body for body, _ in run.letters.kept] == [arrival("1").body]


def test_a_lane_that_is_well_again_gets_all_attempts_again() -> None:
    seen: Counter[str] = Counter()

    def judge(event: Event) -> Verdict:
        seen[event.id] += 1
        return LATER if event.id == "0" or (event.id == "2" and seen["2"] < 3) else ACCEPTED

    publisher = ScriptedPublisher(judge)
    publisher.batch_max = 1
    run = Run(arrival("0"), arrival("1"), arrival("2"), publisher=publisher)
    assert publisher.accepted == ["1", "2"]
    assert len(run.letters.kept) == 1


def test_what_is_no_notification_is_a_dead_letter() -> None:
    poison = Arrival(body=b"\xff", place="q", id="", token="poison")
    run = Run(poison, arrival("1"))
    assert run.source.acknowledged[0] == "poison"
    assert run.letters.kept[0][0] == b"\xff"
    assert run.publisher.accepted == ["1"]


def test_what_a_step_has_no_answer_to_is_a_dead_letter_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    steps = Pipeline.passed

    def passed(self: Pipeline, came: Arrival, *, now_ms: int) -> Any:
        if came.token == "0":
            raise KeyError("a defect")
        return steps(self, came, now_ms=now_ms)

    monkeypatch.setattr(Pipeline, "passed", passed)
    run = Run(arrival("0"), arrival("1"))
    assert run.source.acknowledged == ["0", "1"]
    assert [reason for _, reason in run.letters.kept] == ["A step failed with KeyError; see the log."]
    assert "a step failed" in caplog.text


def test_a_route_that_was_stopped_before_it_ran_takes_nothing() -> None:
    source = ScriptedSource(arrival("1"))
    way = route(source, ScriptedPublisher(), Letters())
    way.stop()
    asyncio.run(way.run())
    assert source.acknowledged == []


def test_what_belongs_to_no_tenant_is_acknowledged_and_counted() -> None:
    run = Run(arrival("1", project=""))
    assert (run.source.acknowledged, run.publisher.asked, run.route.lag.skipped) == (["1"], [], 1)


def test_what_is_brought_again_while_it_is_on_its_way_is_published_once_and_acknowledged_as_it_came_last() -> None:
    run = Run(arrival("1"), None, arrival("1", token="again"), judge=failing(4, BUSY, "1"))
    assert run.publisher.accepted == ["1"]
    assert run.source.acknowledged == ["1", "again"]


def test_what_is_brought_again_after_it_was_accepted_is_not_published_again() -> None:
    run = Run(arrival("1"), None, None, None, arrival("1", token="again"))
    assert run.publisher.accepted == ["1"]
    assert run.source.acknowledged == ["1", "again"]
    assert run.route.lag.repeated + run.route.lag.accepted == 2
    assert run.pauses_s == [0.25, 0.5, 1]


def test_what_is_on_its_way_when_the_route_stops_is_settled() -> None:
    async def all_steps() -> None:
        source = ScriptedSource(arrival("1"))
        publisher = ScriptedPublisher(failing(3, BUSY, "1"))
        way = route(source, publisher, Letters())
        running = asyncio.create_task(way.run())
        await source.finished.wait()
        assert source.acknowledged == []
        assert [each.event.id for each in way.held] == ["1"]
        way.stop()
        await running
        assert source.acknowledged == ["1"]
        assert way.held == []

    asyncio.run(all_steps())

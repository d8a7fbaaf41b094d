"""A route: one source, one publisher, and the steps between them. Routes know nothing of each other.

A notification is acknowledged when the publisher has accepted it, so that whatever ends the process, the source brings
again what was not. A publisher that is down holds up its own routes only.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from sukkal import limits
from sukkal.forwarder.dead_letters import DeadLetters
from sukkal.forwarder.lag import Lag
from sukkal.forwarder.lanes import Flight, Lane
from sukkal.forwarder.normalising import Unreadable
from sukkal.forwarder.pauses import Pauses
from sukkal.forwarder.pipeline import Pipeline
from sukkal.publisher import Notification, Publisher, Verdict
from sukkal.source import Arrival, Source, SourceUnavailable

__all__ = ["Route"]

_log: Final = logging.getLogger("sukkal.forwarder")

_K = TypeVar("_K")


class Route:
    """Takes notifications from a source to a publisher."""

    def __init__(
        self,
        name: str,
        source: Source,
        publisher: Publisher,
        pipeline: Pipeline,
        dead_letters: DeadLetters,
        pauses: Pauses,
        *,
        now_ms: Callable[[], int],
        attempts_max: int,
    ) -> None:
        self.lag = Lag(name)
        self._name = name
        self._source = source
        self._publisher = publisher
        self._pipeline = pipeline
        self._dead_letters = dead_letters
        self._pauses = pauses
        self._now_ms = now_ms
        self._attempts_max = attempts_max
        self._flights: dict[tuple[str, str], Flight] = {}
        self._recent: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lanes: dict[str, Lane] = {}
        self._lane_room = max(1, source.window // limits.FORWARDER_LANE_PART)
        self._tired: OrderedDict[str, None] = OrderedDict()
        self._receiving: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def held(self) -> list[Notification]:
        """What was taken from the source and not accepted yet."""
        return [flight.passed.notification for flight in self._flights.values()]

    async def run(self) -> None:
        """Take notifications until told to stop, and then settle those that were taken.

        A defect of a source or publisher makes it begin again, and never ends it.
        """
        failures = 0
        while not self._stopped:
            try:
                async with asyncio.TaskGroup() as group:
                    self._receiving = group.create_task(self._receive(group))
            except* Exception:  # noqa: BLE001 - one defect must not end the other routes
                failures += 1
                _log.exception("the route begins again", extra={"route": self._name})
                await self._let_go()
                await self._pauses.wait(failures)

    def stop(self) -> None:
        """Take nothing more."""
        self._stopped = True
        if self._receiving is not None:
            self._receiving.cancel()

    async def measure(self) -> None:
        """Ask the source how much it still has."""
        try:
            self.lag.waiting = await self._source.waiting()
        except Exception:  # noqa: BLE001 - a defect of one source must not end the report of the others
            _log.exception("the source raised", extra={"route": self._name})
            self.lag.waiting = None

    async def close(self) -> None:
        """Let go of the source."""
        await self._source.close()

    async def _let_go(self) -> None:
        """Forget what was taken, and have the source bring it again."""
        self._flights.clear()
        self._lanes.clear()
        try:
            await self._source.close()
        except Exception:  # noqa: BLE001 - it was about to be opened anew anyway
            _log.exception("the source raised", extra={"route": self._name})

    async def _receive(self, group: asyncio.TaskGroup) -> None:
        failures = 0
        while True:
            try:
                async for arrival in self._source.receive():
                    failures = 0
                    await self._take(arrival, group)
            except SourceUnavailable as error:
                failures += 1
                _log.warning("source unavailable", extra={"route": self._name, "reason": str(error)})
                await self._pauses.wait(failures)

    async def _take(self, arrival: Arrival, group: asyncio.TaskGroup) -> None:
        try:
            passed = self._pipeline.passed(arrival, now_ms=self._now_ms())
        except Unreadable as error:
            await self._bury_unread(arrival, str(error))
            return
        except Exception as error:  # noqa: BLE001 - it would come again, and end the process again and again
            _log.exception("a step failed", extra={"route": self._name})
            await self._bury_unread(arrival, f"A step failed with {type(error).__name__}; see the log.")
            return
        if passed is None:
            self.lag.skipped += 1
            await self._source.acknowledge([arrival])
        elif (flight := self._flights.get(passed.identity)) is not None:
            flight.arrivals.append(arrival)
        elif passed.identity in self._recent:
            self.lag.repeated += 1
            await self._source.acknowledge([arrival])
        else:
            self._flights[passed.identity] = flight = Flight(passed, [arrival])
            await self._enter(flight, group)

    async def _bury_unread(self, arrival: Arrival, reason: str) -> None:
        await self._dead_letters.put(self._name, arrival.body, reason)
        self.lag.dead += 1
        await self._source.acknowledge([arrival])

    async def _enter(self, flight: Flight, group: asyncio.TaskGroup) -> None:
        try:
            name = self._publisher.lane(flight.passed.notification)
        except Exception as error:  # noqa: BLE001 - it would raise for the same notification again and again
            await self._bury(flight, self._defect(error))
            return
        if name not in self._lanes:
            self._lanes[name] = Lane(self._lane_room)
            group.create_task(self._drain(name))
        self._lanes[name].enter(flight)

    async def _drain(self, name: str) -> None:
        lane = self._lanes[name]
        while batch := lane.following(self._publisher.batch_max):
            await self._bring(name, lane, batch)
        del self._lanes[name]

    async def _bring(self, name: str, lane: Lane, pending: list[Flight]) -> None:
        """Publish until every notification is settled: accepted, or given up as a dead letter."""
        failures = refusals = 0
        while pending:
            verdicts = await self._publish(pending)
            accepted = [flight for flight, verdict in zip(pending, verdicts, strict=True) if verdict.accepted]
            refused = [pair for pair in zip(pending, verdicts, strict=True) if not pair[1].accepted]
            if accepted:
                self._tired.pop(name, None)
                self.lag.accept([flight.passed.notification for flight in accepted], self._now_ms())
                await self._settle(accepted)
            lane.settle(len(accepted))
            refusals += any(_is_its_own(verdict) for _, verdict in refused)
            # A lane whose last notification was given up gets one attempt for the next, so that it delays no others,
            # and so does one that would take the window from them.
            sooner = name in self._tired or lane.is_crowded
            given_up = refusals >= (1 if sooner else self._attempts_max)
            pending = [pair[0] for pair in refused if not await self._is_buried(name, *pair, given_up=given_up)]
            lane.settle(len(refused) - len(pending))
            if pending:
                failures += 1
                await self._wait(lane, failures, [verdict for _, verdict in refused])

    async def _publish(self, flights: Sequence[Flight]) -> Sequence[Verdict]:
        """Return a verdict for each; where the publisher has none, they are tried one by one."""
        try:
            verdicts = await self._publisher.publish([flight.passed.notification for flight in flights])
        except Exception as error:  # noqa: BLE001 - a defect of one publisher must not end the other routes
            reason = self._defect(error)
        else:
            if len(verdicts) == len(flights):
                return verdicts
            reason = "The publisher does not tell what became of it."
        if len(flights) == 1:
            return [Verdict(accepted=False, reason=reason)]
        return [verdict for flight in flights for verdict in await self._publish([flight])]

    def _defect(self, error: Exception) -> str:
        _log.error("the publisher raised", extra={"route": self._name}, exc_info=error)
        return f"The publisher raised {type(error).__name__}; see the log."

    async def _wait(self, lane: Lane, failures: int, verdicts: Sequence[Verdict]) -> None:
        self.lag.failures += 1
        # The same again is said less and less often.
        if failures & (failures - 1) == 0:
            _log.warning("not accepted", extra={"route": self._name, "attempt": failures, "reason": verdicts[0].reason})
        pause = self._pauses.wait(failures, asked_s=max(verdict.retry_after_s or 0 for verdict in verdicts))
        await (lane.wait(pause) if any(map(_is_its_own, verdicts)) else pause)

    async def _is_buried(self, name: str, flight: Flight, verdict: Verdict, *, given_up: bool) -> bool:
        if not verdict.permanent and (verdict.everybody or not given_up):
            return False
        if not verdict.permanent:
            _remember(self._tired, name)
        await self._bury(flight, verdict.reason)
        return True

    async def _bury(self, flight: Flight, reason: str) -> None:
        await self._dead_letters.put(self._name, flight.arrivals[0].body, reason)
        self.lag.dead += 1
        await self._settle([flight])

    async def _settle(self, flights: Sequence[Flight]) -> None:
        for flight in flights:
            del self._flights[flight.passed.identity]
            _remember(self._recent, flight.passed.identity)
        await self._source.acknowledge([arrival for flight in flights for arrival in flight.arrivals])


def _remember(known: OrderedDict[_K, None], key: _K) -> None:
    known[key] = None
    if len(known) > limits.FORWARDER_REMEMBERED_MAX:
        known.popitem(last=False)


def _is_its_own(verdict: Verdict) -> bool:
    """Tell whether a verdict is about the notification or its lane, and may change."""
    return not (verdict.accepted or verdict.everybody or verdict.permanent)

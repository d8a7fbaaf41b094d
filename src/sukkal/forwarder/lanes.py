"""A lane of a route: notifications that keep their order."""

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import NamedTuple

from sukkal.forwarder.pipeline import Passed
from sukkal.source import Arrival

__all__ = ["Flight", "Lane"]


class Flight(NamedTuple):
    """A notification that is not settled, and the arrivals that it came by: several if it was brought again."""

    passed: Passed
    arrivals: list[Arrival]


class Lane:
    """Those that are tried, and those that wait for them. It is *crowded* if they are more than ``room``."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._trying = 0
        self._waiting: deque[Flight] = deque()
        self._grew = asyncio.Event()

    @property
    def is_crowded(self) -> bool:
        """Tell whether others may have to wait because this lane holds so many."""
        return self._trying + len(self._waiting) > self._room

    def enter(self, flight: Flight) -> None:
        """Let a notification wait for its turn."""
        self._waiting.append(flight)
        if self.is_crowded:
            self._grew.set()

    def following(self, count_max: int) -> list[Flight]:
        """Return the next ones to try, none if there are none."""
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), count_max, self._room))]
        self._trying = len(batch)
        return batch

    def settle(self, count: int) -> None:
        """Note that so many of those that are tried are settled."""
        self._trying -= count

    async def wait(self, pause: Awaitable[None]) -> None:
        """Return after a pause, or as soon as the lane is crowded."""
        self._grew.clear()
        waits = [asyncio.ensure_future(pause), asyncio.ensure_future(self._grew.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

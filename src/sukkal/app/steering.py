"""The clock of a node: where nodes share a store, all of them go by the time of its server."""

import logging
from collections.abc import Callable
from typing import Final

from sukkal import limits
from sukkal.errors import StartupError
from sukkal.store import Shared

__all__ = ["SteeredClock"]

_log: Final = logging.getLogger("sukkal.app")

_LOOKS: Final = 3
_APART_MS_MAX: Final = limits.CLOCK_APART_S_MAX * limits.SECOND_MS


class SteeredClock:
    """Milliseconds since the Unix epoch by this machine's clock, and by another's once it was steered.

    It never goes backwards.
    """

    def __init__(self, own_ms: Callable[[], int]) -> None:
        self._own_ms = own_ms
        self._ahead_ms = self._last_ms = 0
        self._begun = False

    def __call__(self) -> int:
        """Return the current time in milliseconds."""
        self._last_ms = max(self._last_ms, self._own_ms() + self._ahead_ms)
        return self._last_ms

    @property
    def ahead_ms(self) -> int:
        """How far the other clock is ahead of this machine's."""
        return self._ahead_ms

    async def begin(self, shared: Shared) -> None:
        """Go by the time of a shared store from now on. Raises ``StartupError`` if the clocks are too far apart."""
        await self.steer(shared)
        if abs(self._ahead_ms) > _APART_MS_MAX:
            raise StartupError(
                f"This machine's clock differs from that of the store's server by {abs(self._ahead_ms) / 1_000:.0f} "
                f"seconds; {limits.CLOCK_APART_S_MAX} are the most. Set the clocks, best by NTP."
            )
        self._begun = True

    async def steer(self, shared: Shared) -> None:
        """Look how far apart the clocks are: the quickest of a few answers tells it best.

        Once it was steered it does not follow a clock that has become far off, be it the store's or this machine's:
        leases would end at once, and when that clock is set right time would stand still for as long.
        """
        looks = [await self._look(shared) for _ in range(_LOOKS)]
        took_ms, ahead_ms = min(looks)
        if abs(ahead_ms - self._ahead_ms) <= took_ms:
            return  # That is not known any better.
        if self._begun and abs(ahead_ms) > _APART_MS_MAX:
            _log.error(
                "the clock of the store's server differs from this machine's by %s ms, and is not followed: set the "
                "clocks, best by NTP",
                ahead_ms,
            )
            return
        if abs(ahead_ms - self._ahead_ms) > limits.SECOND_MS and self._last_ms:
            _log.warning("the clock of the store differs by %s ms", ahead_ms)
        self._ahead_ms = ahead_ms

    async def _look(self, shared: Shared) -> tuple[int, int]:
        before_ms = self._own_ms()
        there_ms = await shared.clock_ms()
        after_ms = self._own_ms()
        return after_ms - before_ms, there_ms - (before_ms + after_ms) // 2

"""How long to wait before something that failed is tried again."""

from collections.abc import Awaitable, Callable
from typing import Final

__all__ = ["Pauses"]

_FIRST_S: Final = 0.25
_DOUBLINGS_MAX: Final = 10


class Pauses:
    """Waits ever longer, up to ``longest_s``, and never all at the same moment.

    ``random`` returns numbers from 0 to 1, ``sleep`` waits for some seconds.
    """

    def __init__(
        self, random: Callable[[], float], sleep: Callable[[float], Awaitable[object]], *, longest_s: float
    ) -> None:
        self._random = random
        self._sleep = sleep
        self._longest_s = longest_s

    async def wait(self, failures: int, *, asked_s: float | None = None) -> None:
        """Wait after so many failures in a row, at least as long as was asked for, within the longest pause."""
        wanted_s = min(_FIRST_S * 2 ** min(failures - 1, _DOUBLINGS_MAX), self._longest_s)
        pause_s = wanted_s * (0.5 + self._random() / 2)
        await self._sleep(max(pause_s, min(asked_s or 0, self._longest_s)))

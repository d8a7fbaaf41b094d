"""The pulse of the event loop: how late it comes to what is due."""

import asyncio
from collections.abc import Callable
from typing import Final

from sukkal.durations import Durations

__all__ = ["Pulse"]

_BEAT_S: Final = 0.25
_BOUNDS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Pulse:
    """Looks four times a second how late the loop is. Everything that a request waits for waits as long at least."""

    def __init__(self, elapsed_s: Callable[[], float]) -> None:
        self._elapsed_s = elapsed_s
        self._due_s = 0.0
        self._next: asyncio.TimerHandle | None = None
        self.lags = Durations(_BOUNDS_S)

    def begin(self) -> None:
        """Look from now on."""
        self._due_s = self._elapsed_s() + _BEAT_S
        self._next = asyncio.get_running_loop().call_later(_BEAT_S, self._beat)

    def end(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()

    def _beat(self) -> None:
        self.lags.note(max(self._elapsed_s() - self._due_s, 0.0))
        self.begin()

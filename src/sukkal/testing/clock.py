"""Time that passes when a test says so."""

from typing import Final

__all__ = ["FakeClock"]

_START_MS: Final = 1_700_000_000_000


class FakeClock:
    """A clock that stands still until it is moved. Calling it gives milliseconds."""

    def __init__(self, start_ms: int = _START_MS) -> None:
        self._now_ms = start_ms

    def __call__(self) -> int:
        """Return the time."""
        return self._now_ms

    def advance(self, ms: int) -> int:
        """Let time pass and return the new one."""
        if ms < 0:
            raise ValueError("time does not go backwards")
        self._now_ms += ms
        return self._now_ms

    def set(self, now_ms: int) -> None:
        """Move to a later time."""
        self.advance(now_ms - self._now_ms)

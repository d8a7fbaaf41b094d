"""The only place that reads the time.

Everything below the composition root takes the time as an argument, so that leases and expiry are tested by
passing a later number.
"""

import time

__all__ = ["Clock", "elapsed_s"]


class Clock:
    """Milliseconds since the Unix epoch, never going backwards within one process.

    A wall clock that is set back would otherwise make a message posted later look older, and could revive a lease
    that has ended.
    """

    __slots__ = ("_last_ms",)

    def __init__(self) -> None:
        self._last_ms = 0

    def __call__(self) -> int:
        """Return the current time in milliseconds."""
        now_ms = time.time_ns() // 1_000_000
        if now_ms > self._last_ms:
            self._last_ms = now_ms
        return self._last_ms


def elapsed_s() -> float:
    """Return seconds from an arbitrary beginning, for measuring how long something took."""
    return time.perf_counter()

"""What the transactions of an engine came to: how many, with how many calls in them, and how long they took."""

from collections.abc import Callable
from typing import Final

from sukkal.durations import Durations

__all__ = ["Commits"]

_BOUNDS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Commits:
    """Counts the transactions of all engines that it is given to.

    Without a stopwatch, ``elapsed_s``, they take no time.
    """

    def __init__(self, elapsed_s: Callable[[], float] = float) -> None:
        self.elapsed_s = elapsed_s
        self.durations = Durations(_BOUNDS_S)
        self.calls = 0
        self.failed = 0

    def note(self, calls: int, seconds: float) -> None:
        """Count a transaction that was committed with the calls that were in it."""
        self.calls += calls
        self.durations.note(seconds)

    def fail(self) -> None:
        """Count a transaction that failed."""
        self.failed += 1

"""How long things took: counts by upper bounds, cheap to add to, made into a histogram when somebody looks."""

from bisect import bisect_left
from collections.abc import Sequence

__all__ = ["Durations"]


class Durations:
    """Counts of durations by their upper bounds in seconds, and their sum."""

    __slots__ = ("_bounds_s", "_counts", "sum_s")

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self._bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self.sum_s = 0.0

    def note(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds_s, seconds)] += 1
        self.sum_s += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Return how many were at most as long as each bound, and how many there were."""
        bounds = [*map(str, self._bounds_s), "+Inf"]
        total, found = 0, []
        for bound, count in zip(bounds, self._counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found

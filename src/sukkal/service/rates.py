"""How fast a project may ask: a bucket of tokens for each that has a limit."""

from collections.abc import Callable

from sukkal import limits
from sukkal.errors import RateLimited
from sukkal.service.project_limits import LimitsTable

__all__ = ["Rates"]


class _Bucket:
    __slots__ = ("at_ms", "tokens")

    def __init__(self, tokens: float, at_ms: int) -> None:
        self.tokens = tokens
        self.at_ms = at_ms


class Rates:
    """The buckets. A full one holds the requests of one second, so that much may come at once."""

    def __init__(self, table: LimitsTable, now_ms: Callable[[], int]) -> None:
        self._table = table
        self._now_ms = now_ms
        self._buckets: dict[str, _Bucket] = {}

    def spend(self, project: str) -> None:
        """Take a token from the project's bucket, if it has one. Raises ``RateLimited``."""
        rate = self._table.of(project).requests_per_s
        if rate is None:
            return
        if rate == 0:
            raise RateLimited("The project may make no requests.", retry_after_s=limits.RATE_ZERO_RETRY_S)
        now_ms = self._now_ms()
        bucket = self._buckets.get(project)
        if bucket is None:
            if len(self._buckets) >= limits.PROJECTS_REMEMBERED_MAX:
                self._buckets.clear()
            bucket = self._buckets[project] = _Bucket(rate, now_ms)
        gained = (now_ms - bucket.at_ms) * rate / limits.SECOND_MS
        bucket.tokens = min(bucket.tokens + gained, rate)
        bucket.at_ms = now_ms
        if bucket.tokens < 1:
            raise RateLimited(f"The project may make {rate} requests per second. Try again later.", retry_after_s=1)
        bucket.tokens -= 1

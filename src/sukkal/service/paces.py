"""How fast deliveries are made for one subscription: how many in a second, and how many at once, if it says so."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.model import Subscription

__all__ = ["Paces", "at_once", "check_pace"]

_PER_SECOND: Final = "_max_deliveries_per_second"
_AT_ONCE: Final = "_max_deliveries_at_once"


def check_pace(options: Mapping[str, Any]) -> None:
    """Refuse a pace that cannot be kept. Raises ``InvalidRequest``."""
    rate, count = options.get(_PER_SECOND), options.get(_AT_ONCE)
    low, high = limits.DELIVERIES_PER_SECOND_MIN, limits.DELIVERIES_PER_SECOND_MAX
    if rate is not None and not (isinstance(rate, int | float) and rate is not True and low <= rate <= high):
        raise InvalidRequest(f"{_PER_SECOND} must be a number from {low} to {high}.")
    most = limits.DELIVERIES_AT_ONCE
    if count is not None and not (isinstance(count, int) and count is not True and 1 <= count <= most):
        raise InvalidRequest(f"{_AT_ONCE} must be a whole number from 1 to {most}.")


def at_once(subscription: Subscription) -> int:
    """Return how many deliveries of a subscription may be made at once: one, which keeps them in order, or more."""
    return int(subscription.options.get(_AT_ONCE) or 1)


class _Bucket:
    __slots__ = ("at_ms", "tokens")

    def __init__(self, tokens: float, at_ms: int) -> None:
        self.tokens = tokens
        self.at_ms = at_ms


class Paces:
    """A bucket of tokens for each subscription that has a rate and was delivered to lately.

    A full one holds the deliveries of one second, and one at least. Those that were forgotten are full again.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._buckets: dict[str, _Bucket] = {}

    def take(self, subscription: Subscription, wanted: int) -> int:
        """Return how many of the wanted deliveries may be made now, and count them as made."""
        rate = subscription.options.get(_PER_SECOND)
        if rate is None:
            return wanted
        bucket = self._filled(subscription.id, rate)
        taken = min(wanted, int(bucket.tokens))
        bucket.tokens -= taken
        return taken

    def next_ms(self, subscription: Subscription) -> int:
        """Return when another delivery may be made."""
        rate = subscription.options[_PER_SECOND]
        bucket = self._filled(subscription.id, rate)
        missing = max(1 - bucket.tokens, 0)
        # Rounded up: a moment earlier there would be a little less than one.
        return bucket.at_ms + int(missing * limits.SECOND_MS / rate) + 1

    def _filled(self, id_: str, rate: float) -> _Bucket:
        now_ms, size = self._now_ms(), max(rate, 1)
        bucket = self._buckets.pop(id_, None) or _Bucket(size, now_ms)
        bucket.tokens = min(bucket.tokens + (now_ms - bucket.at_ms) * rate / limits.SECOND_MS, size)
        bucket.at_ms = now_ms
        if len(self._buckets) >= limits.PACES_REMEMBERED_MAX:
            # The first was used longest ago.
            del self._buckets[next(iter(self._buckets))]
        self._buckets[id_] = bucket
        return bucket

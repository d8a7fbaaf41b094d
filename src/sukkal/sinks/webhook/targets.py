"""The targets of subscriptions that were delivered to lately: reading one costs as much as a request."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sukkal import limits
from sukkal.sink import Delivery
from sukkal.sinks.webhook.request import Target, target

__all__ = ["Targets"]


class _Read(NamedTuple):
    """What a subscription said, and what that means; no target is one that may not be called."""

    subscriber: str
    options: Mapping[str, Any]
    target: Target | None


class Targets:
    """Remembers targets for as long as their subscriptions stay as they are, and a bounded number of them.

    ``may_be_called`` has to be true of a target for good.
    """

    def __init__(self, may_be_called: Callable[[Target], bool]) -> None:
        self._may_be_called = may_be_called
        self._read: dict[str, _Read] = {}

    def of(self, delivery: Delivery) -> Target | None:
        """Return the target of a delivery, ``None`` if it may not be called. Raises ``InvalidRequest``."""
        known = self._read.get(delivery.subscription_id)
        if known is None or known.subscriber != delivery.subscriber or known.options != delivery.options:
            wanted = target(delivery.subscriber, delivery.options)
            known = _Read(delivery.subscriber, delivery.options, wanted if self._may_be_called(wanted) else None)
            self._remember(delivery.subscription_id, known)
        return known.target

    def _remember(self, subscription_id: str, read: _Read) -> None:
        if len(self._read) >= limits.WEBHOOK_TARGETS_REMEMBERED_MAX and subscription_id not in self._read:
            # The first was read longest ago.
            del self._read[next(iter(self._read))]
        self._read[subscription_id] = read

"""Who orders a subscription, and what has to be arranged before its subscriber gets anything.

Most subscribers need no more than a URI. Those of some schemes need a right of the one who orders, which is looked for
once, and kept: that one is not there when deliveries are made.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from sukkal.model import Subscription
from sukkal.service.access import Caller

__all__ = ["GRANTED", "Arranged", "Arrangement", "Arrangements"]

GRANTED: Final = "_granted"
"""An option of subscriptions, ours to set: what was arranged."""


class Arranged(NamedTuple):
    """What was arranged, and the options that the subscription has beside it."""

    granted: Mapping[str, Any]
    options: Mapping[str, Any]


class Arrangement(Protocol):
    """What subscribers of one kind need besides a URI."""

    async def begin(self, wanted: Subscription, present: Mapping[str, Any] | None, orderer: Caller | None) -> Arranged:
        """Arrange it. ``present`` is what was arranged for the subscription as it is so far.

        Raises ``InvalidRequest``, ``Forbidden``, ``Unauthenticated``, ``Unavailable``.
        """

    async def end(self, granted: Mapping[str, Any]) -> None:
        """Undo what was arranged; the subscription is gone or has something else. Raises nothing."""


class Arrangements:
    """The arrangements by the schemes of the subscribers that need them."""

    def __init__(self, by_scheme: Mapping[str, Arrangement]) -> None:
        self._by_scheme = by_scheme

    async def begin(
        self, wanted: Subscription, present: Subscription | None, orderer: Caller | None
    ) -> tuple[Subscription, bool]:
        """Return the subscription with what was arranged for it, and whether that is new."""
        options = {name: value for name, value in wanted.options.items() if name != GRANTED}
        arrangement = self._of(wanted.subscriber)
        if arrangement is None:
            return msgspec.structs.replace(wanted, options=options), False
        same_kind = present is not None and self._of(present.subscriber) is arrangement
        before = present.options.get(GRANTED) if present is not None and same_kind else None
        arranged = await arrangement.begin(msgspec.structs.replace(wanted, options=options), before, orderer)
        options = {**arranged.options, GRANTED: dict(arranged.granted)}
        return msgspec.structs.replace(wanted, options=options), options[GRANTED] != before

    async def end(self, subscription: Subscription) -> None:
        """Undo what was arranged for a subscription, if anything was."""
        arrangement, granted = self._of(subscription.subscriber), subscription.options.get(GRANTED)
        if arrangement is not None and granted is not None:
            await arrangement.end(granted)

    def _of(self, subscriber: str) -> Arrangement | None:
        return self._by_scheme.get(subscriber.partition(":")[0].lower())

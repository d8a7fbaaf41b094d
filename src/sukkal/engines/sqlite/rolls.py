"""The subscriptions of a queue, read once for all the posts to it."""

from bisect import bisect_right
from collections.abc import Sequence

import apsw

from sukkal.engines.sqlite.rows import fetch, subscription_of
from sukkal.engines.sqlite.statements import SQL
from sukkal.model import QueueKey, Subscription

__all__ = ["Roll", "load_roll"]

_ALL = -1
_BYTES_EACH = 1_000
"""What a subscription takes in memory besides its texts, about."""


class Roll:
    """All subscriptions of a queue by id, expired ones that wait to be swept among them.

    ``weight`` is about how many bytes they take in memory.
    """

    def __init__(self, subscriptions: Sequence[Subscription], weight: int) -> None:
        self.weight = weight
        self._all = tuple(subscriptions)
        self._first_ends_ms = min((each.expires_ms for each in subscriptions), default=0)
        self._by_id = {each.id: each for each in subscriptions}
        self._ids = [*self._by_id]

    def select(
        self, *, after: str, limit: int, now_ms: int, ids: Sequence[str] | None, subscriber: str | None
    ) -> tuple[Subscription, ...]:
        """Return live ones, as ``Store.list_subscriptions`` says."""
        found: Sequence[Subscription]
        if ids is not None:
            found = [self._by_id[id_] for id_ in sorted(set(ids)) if id_ > after and id_ in self._by_id]
        else:
            found = self._all[bisect_right(self._ids, after) :] if after else self._all
        if subscriber is not None:
            found = [each for each in found if each.subscriber == subscriber]
        if now_ms >= self._first_ends_ms:
            found = [each for each in found if now_ms < each.expires_ms]
        return tuple(found[:limit])


def load_roll(connection: apsw.Connection, key: QueueKey) -> Roll | None:
    """Read all subscriptions of a queue."""
    rows = fetch(connection, SQL.subscriptions, (key.project, key.kind, key.name, "", _ALL, _ALL))
    weight = sum(_BYTES_EACH + len(subscriber) + 4 * len(options) for _, subscriber, _, options, *_ in rows)
    return Roll([subscription_of(key, row) for row in rows], weight)

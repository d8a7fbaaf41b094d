"""With which queue a hidden one lies: a history has its owner's name in its own, a backlog is looked up."""

from collections.abc import Callable
from typing import Final

import msgspec

from sukkal.model import QueueKey, QueueKind, RecordKey, Subscription
from sukkal.records import Records

__all__ = ["Owners", "history_of"]

_BACKLOGS: Final = "backlog-owner"
_REMEMBERED_MAX: Final = 100_000


class Owners:
    """The owners of hidden queues. They never change: ids of subscriptions are not used again."""

    def __init__(self, records: Records, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._now_ms = now_ms
        self._known: dict[QueueKey, QueueKey] = {}

    async def of(self, key: QueueKey) -> QueueKey:
        """Return the queue with which a queue lies, the queue itself if it is with no other."""
        if key.kind == "history":
            kind, slash, name = key.name.partition("/")
            return QueueKey(key.project, name, msgspec.convert(kind, QueueKind)) if slash else key
        if key.kind != "backlog":
            return key
        known = self._known.get(key)
        if known is not None:
            return known
        record = await self._records.get_record(_record_key(key), now_ms=self._now_ms())
        if record is None:
            return key
        kind, _, name = record.value.decode().partition("/")
        return self._remember(key, QueueKey(key.project, name, msgspec.convert(kind, QueueKind)))

    async def note(self, subscription: Subscription) -> None:
        """Remember whose a backlog is, for as long as the subscription may last."""
        key, owner, now_ms = _record_key(subscription.backlog), subscription.queue, self._now_ms()
        earlier = await self._records.get_record(key, now_ms=now_ms)
        # A change that is refused must not shorten what is known of the subscription that stays.
        ends_ms = max(subscription.expires_ms, (earlier.expires_ms or 0) if earlier else 0)
        await self._records.put_record(key, f"{owner.kind}/{owner.name}".encode(), now_ms=now_ms, expires_ms=ends_ms)
        self._remember(subscription.backlog, owner)

    async def forget(self, backlog: QueueKey) -> None:
        """Forget whose a backlog was."""
        self._known.pop(backlog, None)
        await self._records.delete_record(_record_key(backlog), now_ms=self._now_ms())

    def _remember(self, backlog: QueueKey, owner: QueueKey) -> QueueKey:
        if len(self._known) >= _REMEMBERED_MAX:
            self._known.pop(next(iter(self._known)))
        self._known[backlog] = owner
        return owner


def history_of(key: QueueKey) -> QueueKey:
    """Return the hidden queue that may hold the history of a queue."""
    return QueueKey(key.project, f"{key.kind}/{key.name}", "history")


def _record_key(backlog: QueueKey) -> RecordKey:
    return RecordKey(_BACKLOGS, backlog.project, backlog.name)

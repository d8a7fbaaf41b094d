"""Copies of what is posted, for the backlogs of those who have subscribed."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from sukkal import limits
from sukkal.model import NewMessage, Post, Queue, QueueKey, QueueKind, Subscription
from sukkal.service.attributes import DISABLED
from sukkal.settings import Settings
from sukkal.store import Store

__all__ = ["FanOut", "Origin", "origin_of"]


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a delivery is from, and how it went so far; kept as the attributes of its message in the backlog.

    ``ttl_s`` is the life that the message was posted with. ``attempts`` were made, the last one ended with ``status``
    and ``error``; ``dead`` ones are not tried again by themselves. A ``notice`` is a message of the service's own.
    """

    queue: str
    kind: QueueKind
    ttl_s: int
    attempts: int = 0
    status: int | None = None
    error: str = ""
    dead: bool = False
    notice: bool = False

    def key(self, project: str) -> QueueKey:
        """Return the queue that the message was posted to."""
        return QueueKey(project, self.queue, self.kind)


_decoder: Final = msgspec.json.Decoder(Origin)


def origin_of(attributes: bytes | None) -> Origin | None:
    """Return the origin of a message in a backlog."""
    return None if attributes is None else _decoder.decode(attributes)


class FanOut:
    """Finds out who is to have a copy. ``wake`` is told the backlogs that got some."""

    def __init__(
        self, store: Store, settings: Settings, wake: Callable[[Sequence[QueueKey]], None], now_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._confirmed_only = settings.require_confirmation
        self._now_ms = now_ms
        self.wake = wake

    async def posts(self, queue: Queue, messages: Sequence[NewMessage]) -> list[Post]:
        """Return the posts that go with one to a queue."""
        found: list[Post] = []
        copies = _copies(queue.key, messages)
        after = ""
        while True:
            page = await self._store.list_subscriptions(
                queue.key, after=after, limit=limits.SUBSCRIPTIONS_PER_POST, now_ms=self._now_ms()
            )
            wanted = [subscription for subscription in page if self._is_active(subscription)]
            found += [Post(subscription.backlog, copies) for subscription in wanted]
            if len(page) < limits.SUBSCRIPTIONS_PER_POST:
                return found
            after = page[-1].id

    def _is_active(self, subscription: Subscription) -> bool:
        return DISABLED not in subscription.options and (subscription.confirmed or not self._confirmed_only)


def _copies(key: QueueKey, messages: Sequence[NewMessage]) -> tuple[NewMessage, ...]:
    return tuple(
        [
            NewMessage(
                id=message.id,
                body=message.body,
                ttl_s=limits.BACKLOG_TTL_S,
                delay_s=message.delay_s,
                attributes=msgspec.json.encode(Origin(key.name, key.kind, message.ttl_s)),
            )
            for message in messages
        ]
    )

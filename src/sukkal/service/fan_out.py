"""Copies of what is posted, for the backlogs of those who have subscribed."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from sukkal import limits
from sukkal.model import NewMessage, Post, Queue, QueueKey, QueueKind, Subscription
from sukkal.service.attributes import DISABLED
from sukkal.settings import Settings
from sukkal.store import Store

__all__ = ["FanOut", "Origin", "origin_of", "passing"]


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a delivery is from, and how it went so far; kept as the attributes of its message in the backlog.

    ``ttl_s`` is the life that the message was posted with. ``attempts`` were made, the last one ended with ``status``
    and ``error``; ``dead`` ones are not tried again by themselves. A ``notice`` is a message of the service's own.
    ``passed`` names the queues that the message was in before it was forwarded to this one.
    """

    queue: str
    kind: QueueKind
    ttl_s: int
    attempts: int = 0
    status: int | None = None
    error: str = ""
    dead: bool = False
    notice: bool = False
    passed: tuple[str, ...] = ()

    def key(self, project: str) -> QueueKey:
        """Return the queue that the message was posted to."""
        return QueueKey(project, self.queue, self.kind)


_decoder: Final = msgspec.json.Decoder(Origin)


def origin_of(attributes: bytes | None) -> Origin | None:
    """Return the origin of a message in a backlog."""
    return None if attributes is None else _decoder.decode(attributes)


def passing(key: QueueKey) -> str:
    """Return how a queue is written where it is one of those that a message has passed."""
    # Names and kinds have no blanks; what a project's id has is whoever gives it to decide.
    return f"{key.kind} {key.name} {key.project}"


class FanOut:
    """Finds out who is to have a copy."""

    def __init__(self, store: Store, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._confirmed_only = settings.require_confirmation
        self._now_ms = now_ms

    async def copies(self, queue: Queue, messages: Sequence[NewMessage], passed: tuple[str, ...] = ()) -> list[Post]:
        """Return the posts that go with one to a queue."""
        found: list[Post] = []
        copies = _copies(queue.key, messages, passed)
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


def _copies(key: QueueKey, messages: Sequence[NewMessage], passed: tuple[str, ...]) -> tuple[NewMessage, ...]:
    return tuple(
        [
            NewMessage(
                id=message.id,
                body=message.body,
                ttl_s=limits.BACKLOG_TTL_S,
                delay_s=message.delay_s,
                attributes=msgspec.json.encode(Origin(key.name, key.kind, message.ttl_s, passed=passed)),
            )
            for message in messages
        ]
    )

"""When queues were used last, of those where somebody asks."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar, cast

from sukkal.model import Once, Post, Published, QueueKey, Subscription
from sukkal.store import Store

__all__ = ["UsedStore", "Uses"]

C = TypeVar("C", bound=Callable[..., Any])


class Uses:
    """The last use of each queue that somebody asks about; of others nothing is noted."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._last_ms: dict[QueueKey, int] = {}

    def begin(self, key: QueueKey, at_ms: int | None = None) -> None:
        """Take note of the uses of a queue from now on, which is the first, unless that was at another time."""
        self._last_ms[key] = self._now_ms() if at_ms is None else at_ms

    def learn(self, key: QueueKey, at_ms: int) -> None:
        """Take note that somebody has used a queue elsewhere."""
        self._last_ms[key] = max(self._last_ms.get(key, 0), at_ms)

    def note(self, key: QueueKey) -> None:
        """Take note that somebody uses a queue now."""
        if key in self._last_ms:
            self._last_ms[key] = self._now_ms()

    def last_ms(self, key: QueueKey) -> int | None:
        """Return when a queue was used last, ``None`` if nobody asks."""
        return self._last_ms.get(key)

    def forget(self, key: QueueKey) -> None:
        """Take no more note of a queue."""
        self._last_ms.pop(key, None)


class UsedStore:
    """A store in front of another one, which notes who uses which queue. See ``sukkal.store.Store``.

    To look at a queue itself, its metadata or its counts, is no use of it.
    """

    def __init__(self, store: Store, uses: Uses) -> None:
        self._store = store
        self._note = note = uses.note
        self.put_queue = _noting(store.put_queue, note)
        self.browse = _noting(store.browse, note)
        self.get_messages = _noting(store.get_messages, note)
        self.delete_messages = _noting(store.delete_messages, note)
        self.claim = _noting(store.claim, note)
        self.get_claim = _noting(store.get_claim, note)
        self.list_claims = _noting(store.list_claims, note)
        self.extend = _noting(store.extend, note)
        self.settle = _noting(store.settle, note)
        self.delete_subscription = _noting(store.delete_subscription, note)
        self.get_queue = store.get_queue
        self.list_queues = store.list_queues
        self.delete_queue = store.delete_queue
        self.list_subscriptions = store.list_subscriptions
        self.stats = store.stats
        self.sweep = store.sweep
        self.due_queues = store.due_queues
        self.next_due = store.next_due

    def publish(
        self, posts: Sequence[Post], *, now_ms: int, once: Once | None = None
    ) -> Coroutine[Any, Any, Published]:
        """Store messages in all the named queues at once, of which the first is used."""
        self._note(posts[0].queue)
        return self._store.publish(posts, now_ms=now_ms, once=once)

    async def put_subscription(self, subscription: Subscription, *, revision: int | None, now_ms: int) -> Subscription:
        """Create or replace a subscription, which is a use of its queue."""
        self._note(subscription.queue)
        return await self._store.put_subscription(subscription, revision=revision, now_ms=now_ms)


def _noting(call: C, note: Callable[[QueueKey], None]) -> C:
    def noted(key: QueueKey, *given: Any, **more: Any) -> Any:
        note(key)
        return call(key, *given, **more)

    return cast(C, noted)

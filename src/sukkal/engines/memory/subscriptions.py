"""The subscriptions of queues in memory."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from sukkal.engines.memory.contents import Contents
from sukkal.errors import RevisionConflict, SubscriptionExists
from sukkal.model import QueueKey, Subscription

__all__ = ["SubscriptionsInMemory", "expired"]


class SubscriptionsInMemory:
    """The subscriptions of an engine, which gives its queues and makes new ones."""

    queues: dict[QueueKey, Contents]

    def create(self, key: QueueKey, now_ms: int) -> Contents:
        """Create a queue that does not exist."""
        raise NotImplementedError

    def reading(self, key: QueueKey) -> None:
        """Refuse to read a queue that was moved away."""
        raise NotImplementedError

    def writing(self, key: QueueKey) -> None:
        """Refuse to write to a queue that is held, or was moved away."""
        raise NotImplementedError

    def live(self, key: QueueKey, now_ms: int) -> Contents | None:
        """Return a queue, or a backlog that has not ended."""
        self.reading(key)
        contents = self.queues.get(key)
        return None if contents is None or contents.ended(now_ms) else contents

    async def put_subscription(self, subscription: Subscription, *, revision: int | None, now_ms: int) -> Subscription:
        """Create or replace a subscription."""
        self.writing(subscription.queue)
        contents = self.queues.get(subscription.queue)
        _check(contents, subscription, revision=revision, now_ms=now_ms)
        contents = contents or self.create(subscription.queue, now_ms)
        if revision is None:
            # One that has expired under the same id does not leave its backlog to this one.
            self.queues.pop(subscription.backlog, None)
            self.create(subscription.backlog, now_ms)
        self.queues[subscription.backlog].ends_ms = subscription.expires_ms
        return _keep(contents, subscription, revision=revision)

    async def list_subscriptions(
        self,
        key: QueueKey,
        *,
        after: str,
        limit: int,
        now_ms: int,
        ids: Sequence[str] | None = None,
        subscriber: str | None = None,
    ) -> tuple[Subscription, ...]:
        """Return live subscriptions."""
        self.reading(key)
        live = _live(self.queues.get(key), now_ms)
        found = (each for each in live if (ids is None or each.id in ids) and subscriber in (None, each.subscriber))
        return tuple(each for each in found if each.id > after)[:limit]

    async def delete_subscription(self, key: QueueKey, subscription_id: str) -> bool:
        """Remove a subscription."""
        self.writing(key)
        contents = self.queues.get(key)
        found = contents.subscriptions.pop(subscription_id, None) if contents else None
        if found is not None:
            self.queues.pop(found.backlog, None)
        return found is not None


def _live(contents: Contents | None, now_ms: int) -> list[Subscription]:
    """Return a queue's subscriptions that have not expired, by id."""
    found = contents.subscriptions.values() if contents else ()
    return sorted((each for each in found if now_ms < each.expires_ms), key=lambda each: each.id)


def _check(contents: Contents | None, wanted: Subscription, *, revision: int | None, now_ms: int) -> None:
    """Refuse one that is no longer as its writer read it, or whose subscriber has another one."""
    live = _live(contents, now_ms)
    present = next((each for each in live if each.id == wanted.id), None)
    if (present.revision if present else None) != revision:
        raise RevisionConflict("The subscription was changed meanwhile. Read it again.")
    for other in live:
        if other.subscriber == wanted.subscriber and other.id != wanted.id:
            raise SubscriptionExists(other)


def _keep(contents: Contents, wanted: Subscription, *, revision: int | None) -> Subscription:
    """Store a subscription."""
    stored = replace(wanted, revision=(revision or 0) + 1)
    contents.subscriptions[wanted.id] = stored
    return stored


def expired(queues: Iterable[Contents], now_ms: int, limit: int) -> list[tuple[Contents, Subscription]]:
    """Return subscriptions that have ended, with the queue that they are of."""
    found = [
        (contents, each) for contents in queues for each in contents.subscriptions.values() if now_ms >= each.expires_ms
    ]
    return found[:limit]

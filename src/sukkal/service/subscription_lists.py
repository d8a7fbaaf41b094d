"""Lists of the subscriptions of a whole project, queue by queue."""

from typing import Final

from sukkal import limits
from sukkal.errors import SubscriptionNotFound
from sukkal.model import QueueKey, QueueKind, Subscription
from sukkal.service.names import is_queue_name
from sukkal.store import Store

__all__ = ["FIRST", "KINDS", "Place", "id_of", "list_all", "place_of"]

Place = tuple[QueueKind, str, str]
"""Where a list goes on: behind a subscription of a queue or topic."""

KINDS: Final[tuple[QueueKind, ...]] = ("queue", "topic")

FIRST: Final[Place] = ("queue", "", "")

_BEHIND_ALL: Final = "~"


def id_of(subscription: Subscription) -> str:
    """Return what a subscription is called among those of all queues and topics."""
    return "~".join(_place(subscription))


def place_of(text: str) -> Place:
    """Return the kind, the queue's name, and the subscription's id. Raises ``SubscriptionNotFound``."""
    kind, _, rest = text.partition("~")
    name, _, id_ = rest.partition("~")
    for each in KINDS:
        if kind == each and id_ and is_queue_name(name):
            return each, name, id_
    raise SubscriptionNotFound(f"Subscription {text} does not exist.")


async def list_all(
    store: Store, project: str, after: Place, *, limit: int, now_ms: int
) -> tuple[list[Subscription], Place | None]:
    """Return subscriptions by kind, name and id, and where the list goes on."""
    kind, name, id_ = after
    found: list[Subscription] = []
    if name:
        found += await store.list_subscriptions(QueueKey(project, name, kind), after=id_, limit=limit, now_ms=now_ms)
    looked_at = 0
    for each in KINDS[KINDS.index(kind) :]:
        if each != kind:
            name = ""
        more = True
        while more:
            if len(found) == limit:
                return found, _place(found[-1])
            if looked_at >= limits.QUEUE_FILTER_SCAN_MAX:
                return found, (each, name, _BEHIND_ALL)
            queues = (await store.list_queues(project, each, after=name, limit=limits.PAGE_MAX)).queues
            looked_at += len(queues)
            more = len(queues) == limits.PAGE_MAX
            for queue in queues:
                name = queue.key.name
                if queue.subscriptions:
                    left = limit - len(found)
                    found += await store.list_subscriptions(queue.key, after="", limit=left, now_ms=now_ms)
                    if len(found) == limit:
                        return found, _place(found[-1])
    return found, None


def _place(subscription: Subscription) -> Place:
    return subscription.queue.kind, subscription.queue.name, subscription.id

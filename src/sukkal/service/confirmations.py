"""Confirmations: asking a subscriber whether it wants what is posted, and telling it that it gets nothing more."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.model import NewMessage, QueueKey, Subscription
from sukkal.service.backlogs import Backlogs
from sukkal.service.fan_out import Origin
from sukkal.service.signatures import Signer, expiry_text
from sukkal.store import Store

__all__ = ["Confirmations"]

_METHOD: Final = "PUT"


class Confirmations:
    """Puts notices into the backlogs of subscriptions, from where they are delivered like everything else."""

    def __init__(
        self,
        store: Store,
        backlogs: Backlogs,
        signer: Signer,
        wake: Callable[[Sequence[QueueKey]], None],
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._backlogs = backlogs
        self._signer = signer
        self._wake = wake
        self._now_ms = now_ms
        self._new_id = new_id

    async def ask(self, subscription: Subscription) -> None:
        """Ask the subscriber to confirm, with a signed request that it may send back."""
        await self._send(
            subscription,
            "SubscriptionConfirmation",
            f"You have chosen to subscribe to the queue: {subscription.queue.name}",
        )

    async def tell_of_the_end(self, subscription: Subscription) -> None:
        """Tell the subscriber that it has unsubscribed, and how to come back."""
        await self._send(
            subscription,
            "UnsubscribeConfirmation",
            f"You have unsubscribed successfully to the queue: {subscription.queue.name}, you can resubscribe it by "
            "using confirmed=True.",
        )

    async def _send(self, subscription: Subscription, kind: str, text: str) -> None:
        queue = subscription.queue
        collection = "topics" if queue.kind == "topic" else "queues"
        path = f"/v2/{collection}/{queue.name}/subscriptions/{subscription.id}/confirm"
        signature = self._signer.sign([path], [_METHOD], queue.project, expiry_text(subscription.expires_ms))
        document: dict[str, Any] = {
            "Message_Type": kind,
            "Message": text,
            "URL-Signature": signature.text,
            "URL-Methods": _METHOD,
            "URL-Paths": path,
            "X-Project-ID": queue.project,
            "URL-Expires": signature.expires,
            "SubscribeBody": {"confirmed": True},
            "UnsubscribeBody": {"confirmed": False},
            "queue_name": queue.name,
        }
        origin = Origin(queue.name, queue.kind, subscription.ttl_s, notice=True)
        notice = NewMessage(
            id=self._new_id(),
            body=msgspec.json.encode(document),
            ttl_s=limits.BACKLOG_TTL_S,
            attributes=msgspec.json.encode(origin),
        )
        if posts := await self._backlogs.with_room([(subscription.backlog, (notice,))]):
            await self._store.publish(posts, now_ms=self._now_ms())
            self._wake([subscription.backlog])

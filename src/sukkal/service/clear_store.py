"""The store as callers' operations see it: bodies that were encrypted come out in the clear, whatever asks for them."""

import contextlib
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from sukkal.errors import ClaimNotFound, KeyUnavailable
from sukkal.model import (
    HeldClaim,
    Message,
    NewClaim,
    NewMessage,
    Page,
    Position,
    Post,
    Queue,
    QueueKey,
    Release,
    Stats,
    View,
)
from sukkal.service.attributes import encrypts
from sukkal.service.conflation import conflation_key
from sukkal.service.encryption import Encryption
from sukkal.store import Store

__all__ = ["ClearStore"]


class ClearStore:
    """A store in front of another one. See ``sukkal.store.Store``; calls raise ``KeyUnavailable`` besides.

    What moves messages without reading them, such as dead letters, uses the other one. ``freed`` is told how many
    messages of a queue may be taken again.
    """

    def __init__(self, store: Store, encryption: Encryption, freed: Callable[[QueueKey, int], None]) -> None:
        self._store = store
        self._encryption = encryption
        self._freed = freed
        self.put_queue = store.put_queue
        self.get_queue = store.get_queue
        self.list_queues = store.list_queues
        self.delete_queue = store.delete_queue
        self.publish = store.publish
        self.delete_messages = store.delete_messages
        self.list_claims = store.list_claims
        self.extend = store.extend
        self.settle = store.settle
        self.put_subscription = store.put_subscription
        self.list_subscriptions = store.list_subscriptions
        self.delete_subscription = store.delete_subscription
        self.sweep = store.sweep
        self.due_queues = store.due_queues
        self.next_due = store.next_due

    async def browse(self, key: QueueKey, *, after: Position | None, limit: int, view: View, now_ms: int) -> Page:
        """Return part of a view of the queue."""
        page = await self._store.browse(key, after=after, limit=limit, view=view, now_ms=now_ms)
        messages = self._encryption.open(key.project, page.messages)
        return page if messages is page.messages else replace(page, messages=messages)

    async def get_messages(self, key: QueueKey, ids: Sequence[str], *, now_ms: int) -> tuple[Message, ...]:
        """Return those of the messages that are live."""
        return self._encryption.open(key.project, await self._store.get_messages(key, ids, now_ms=now_ms))

    async def claim(
        self,
        key: QueueKey,
        claim: NewClaim,
        *,
        limit: int,
        now_ms: int,
        max_attempts: int | None = None,
        set_aside: bool = False,
        settle: bool = False,
    ) -> tuple[Message, ...]:
        """Take the first free messages, unless one of them cannot be read: then all stay where they are."""
        if await self._may_hold_sealed(key):
            # Looking first costs a read; taken and given back, they would count one attempt more.
            await self.browse(key, after=None, limit=limit, view=View(), now_ms=now_ms)
        messages = await self._store.claim(
            key,
            claim,
            limit=limit,
            now_ms=now_ms,
            max_attempts=max_attempts,
            set_aside=set_aside,
            settle=settle,
        )
        try:
            return self._encryption.open(key.project, messages)
        except KeyUnavailable:
            await self._give_back(key, claim, messages, settled=settle, now_ms=now_ms)
            raise

    async def get_claim(self, key: QueueKey, claim_id: str, *, now_ms: int) -> HeldClaim | None:
        """Return a live claim and what it holds."""
        held = await self._store.get_claim(key, claim_id, now_ms=now_ms)
        return held and HeldClaim(held.claim, self._encryption.open(key.project, held.messages))

    async def held_ids(self, key: QueueKey, claim_id: str, *, now_ms: int) -> frozenset[str] | None:
        """Return the ids of what a live claim holds, whether it can be read or not."""
        held = await self._store.get_claim(key, claim_id, now_ms=now_ms)
        return None if held is None else frozenset([message.id for message in held.messages])

    async def stats(self, key: QueueKey, *, now_ms: int) -> Stats:
        """Count the queue's live messages."""
        stats = await self._store.stats(key, now_ms=now_ms)
        oldest, newest = (end and self._encryption.open_one(key.project, end) for end in (stats.oldest, stats.newest))
        return replace(stats, oldest=oldest, newest=newest)

    async def _may_hold_sealed(self, key: QueueKey) -> bool:
        if self._encryption.ready:
            return True
        queue = await self._store.get_queue(key)
        return queue is not None and encrypts(queue.metadata)

    async def _give_back(
        self, key: QueueKey, claim: NewClaim, messages: Sequence[Message], *, settled: bool, now_ms: int
    ) -> None:
        """Undo a claim whose messages came, or whose key went, between looking and claiming."""
        if settled:
            queue = await self._store.get_queue(key)
            again = tuple([self._as_new(queue, message) for message in messages])
            await self._store.publish((Post(key, again),), now_ms=now_ms)
        else:
            with contextlib.suppress(ClaimNotFound):
                await self._store.settle(key, claim.id, {}, now_ms=now_ms, rest=Release())
        self._freed(key, len(messages))

    def _as_new(self, queue: Queue | None, message: Message) -> NewMessage:
        return NewMessage(
            id=message.id,
            body=message.body,
            ttl_s=message.ttl_s,
            client=message.client,
            attributes=message.attributes,
            key=None if queue is None else conflation_key(queue, message, self._encryption),
        )

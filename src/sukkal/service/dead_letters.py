"""Dead letters: what was claimed too often goes to another queue, with the reason.

A message's last permitted claim sets it aside, so nothing has to be looked for: queues with such messages are due, and
each message is published to its new queue by its own id and then settled in the old one. Dying between the two steps
repeats the first, which changes nothing.
"""

import logging
from collections.abc import Callable
from typing import Final

import msgspec

from sukkal import limits
from sukkal.errors import ClaimNotFound
from sukkal.model import Ack, Message, NewClaim, NewMessage, QueueKey, Release, Settlement
from sukkal.service.attributes import DeadLetters
from sukkal.service.posting import Posting
from sukkal.service.waiting import Waiting
from sukkal.store import Store

__all__ = ["Burials", "DeadLetter"]

_log: Final = logging.getLogger("sukkal.dead_letters")


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a dead letter comes from and why; kept as the message's attribute ``dead_letter``.

    One that could not be delivered names its subscription and subscriber, and how the last attempt ended.
    """

    reason: str
    queue: str
    claim_count: int
    subscription: str | None = None
    subscriber: str | None = None
    status: int | None = None
    error: str = ""


class Burials:
    """Moves exhausted messages."""

    def __init__(
        self,
        store: Store,
        posting: Posting,
        waiting: Waiting,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._posting = posting
        self._waiting = waiting
        self._now_ms = now_ms
        self._new_id = new_id

    async def bury_due(self) -> None:
        """Move the exhausted messages of all queues that have some, a bounded number."""
        for key in await self._store.due_queues(now_ms=self._now_ms(), limit=limits.BURY_MESSAGES_MAX):
            await self.bury(key)

    async def bury(self, key: QueueKey) -> None:
        """Move a queue's exhausted messages, a bounded number of them."""
        now_ms = self._now_ms()
        claim = NewClaim(id=self._new_id(), ttl_s=limits.CLAIM_TTL_S_MIN, grace_s=limits.CLAIM_GRACE_S_MIN)
        messages = await self._store.claim(key, claim, limit=limits.BURY_MESSAGES_MAX, now_ms=now_ms, set_aside=True)
        if not messages:
            return
        queue = await self._store.get_queue(key)
        rule = DeadLetters(queue.metadata if queue else {})
        most = rule.max_attempts
        dead = [message for message in messages if most is not None and message.attempts >= most]
        settlements: dict[str, Settlement] = {message.id: Ack() for message in dead}
        if dead:
            target = key._replace(name=rule.queue_name)
            letters = tuple(_letter(message, key, rule) for message in dead)
            await self._posting.publish(target, await self._store.get_queue(target), letters, now_ms=now_ms)
        try:
            # The others may be claimed again, since the queue's rule has changed.
            await self._store.settle(key, claim.id, settlements, now_ms=self._now_ms(), rest=Release(revive=True))
        except ClaimNotFound:
            _log.warning("burying messages of queue %s took too long; they will be moved again", key.name)
            return
        self._waiting.wake(key, len(messages) - len(dead))


def _letter(message: Message, origin: QueueKey, rule: DeadLetters) -> NewMessage:
    reason = DeadLetter(reason="max_claim_count", queue=origin.name, claim_count=message.attempts)
    return NewMessage(
        id=message.id,
        body=message.body,
        ttl_s=rule.ttl_s or message.ttl_s,
        client=message.client,
        attributes=msgspec.json.encode({"dead_letter": reason}),
    )

"""What people do about deliveries: look at them, try them again, send a test."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import ClaimNotFound, InvalidRequest
from sukkal.model import Message, NewClaim, QueueKey, Release
from sukkal.service.attempts import Attempts
from sukkal.service.fan_out import origin_of
from sukkal.service.ledger import Ledger, LedgerPage
from sukkal.service.lenses import Lenses, posted
from sukkal.service.pages import check_limit
from sukkal.service.senders import Senders
from sukkal.service.subscriptions import Subscriptions
from sukkal.sink import Delivery, Outcome
from sukkal.store import Store

__all__ = ["Redrives"]

_TEST_BODY: Final = b'{"test":true,"text":"This is a test of a subscription."}'


class Redrives:
    """The operations on a subscription's deliveries."""

    def __init__(
        self,
        store: Store,
        subscriptions: Subscriptions,
        senders: Senders,
        ledger: Ledger,
        attempts: Attempts,
        lenses: Lenses,
        wake: Callable[[Sequence[QueueKey]], None],
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        *,
        timeout_s: int,
    ) -> None:
        self._store = store
        self._subscriptions = subscriptions
        self._senders = senders
        self._ledger = ledger
        self._attempts = attempts
        self._lenses = lenses
        self._wake = wake
        self._now_ms = now_ms
        self._new_id = new_id
        self._timeout_s = timeout_s

    async def ledger(self, key: QueueKey, id_: str, *, limit: int | None) -> LedgerPage:
        """Return what is known of the deliveries. Raises ``SubscriptionNotFound``."""
        limit = check_limit(limit, limits.LEDGER_PAGE_MAX, "Limit must be at least 1 and may not be greater than {}.")
        subscription, _ = await self._subscriptions.get(key, id_)
        return await self._ledger.of(subscription, limit)

    async def redrive(self, key: QueueKey, id_: str, ids: Any = None) -> int:
        """Put deliveries that were given up back in line, all or those of some messages; return how many there were.

        Their attempts begin anew. Raises ``SubscriptionNotFound``, ``InvalidRequest``.
        """
        if ids is not None and not (isinstance(ids, list) and all(isinstance(each, str) for each in ids)):
            raise InvalidRequest("`ids` must be a list of message ids.")
        subscription, _ = await self._subscriptions.get(key, id_)
        backlog = subscription.backlog
        sought = None if ids is None else frozenset(ids)
        redriven, passed_by = 0, []
        try:
            for _ in range(limits.REDRIVE_ROUNDS_MAX):
                claim = NewClaim(id=self._new_id(), ttl_s=limits.CLAIM_TTL_S_MIN, grace_s=limits.CLAIM_GRACE_S_MIN)
                dead = await self._store.claim(
                    backlog, claim, limit=limits.BURY_MESSAGES_MAX, now_ms=self._now_ms(), set_aside=True
                )
                if not dead:
                    break
                # The rest is held until the end: let go at once, it would be claimed again before what lies behind it.
                passed_by.append(claim.id)
                wanted = _revived(dead, sought)
                await self._store.settle(backlog, claim.id, wanted, now_ms=self._now_ms())
                redriven += len(wanted)
                if len(dead) < limits.BURY_MESSAGES_MAX or (sought is not None and redriven == len(sought)):
                    break
        finally:
            for claim_id in passed_by:
                with contextlib.suppress(ClaimNotFound):
                    await self._store.settle(backlog, claim_id, {}, now_ms=self._now_ms(), rest=Release())
            self._wake([backlog])
        return redriven

    async def test(self, key: QueueKey, id_: str) -> Outcome:
        """Make one attempt with a message of ours, whatever else waits, and return how it ended."""
        subscription, now_ms = await self._subscriptions.get(key, id_)
        sink = self._senders.of(subscription.subscriber)
        if sink is None:
            raise InvalidRequest("The service has nothing that delivers to such a subscriber.")
        what = posted(key, self._new_id(), at_ms=now_ms, ttl_s=limits.MESSAGE_TTL_S_MIN)
        body, media_type = self._lenses.delivered(subscription, _TEST_BODY, what)
        delivery = Delivery(
            id=what.message_id,
            attempt=1,
            body=body,
            ttl_s=what.ttl_s,
            posted_ms=now_ms,
            project=key.project,
            queue_name=key.name,
            subscription_id=subscription.id,
            subscriber=subscription.subscriber,
            options=subscription.options,
            now_ms=now_ms,
            timeout_s=self._timeout_s,
            media_type=media_type,
        )
        return await self._attempts.make(sink, delivery)


def _revived(dead: Sequence[Message], sought: frozenset[str] | None) -> dict[str, Release]:
    """Return how those of the dead that are sought, or all, come back to life."""
    revived = {}
    for message in dead:
        origin = origin_of(message.attributes)
        if origin is not None and (sought is None or message.id in sought):
            fresh = msgspec.structs.replace(origin, attempts=0, dead=False)
            revived[message.id] = Release(revive=True, attributes=msgspec.json.encode(fresh))
    return revived

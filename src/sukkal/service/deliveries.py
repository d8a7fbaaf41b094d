"""Deliveries: workers that take what waits in the backlogs of subscriptions and bring it to the subscribers.

A worker has one backlog at a time and is an ordinary consumer of it: it claims, lets a sink try, and settles. So a
delivery is lost by nothing, and repeated only if its outcome could not be kept.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import ClaimNotFound, KeyUnavailable, SukkalError
from sukkal.log_fields import add_log_fields, on_behalf_of_many, set_log_fields
from sukkal.model import Ack, Bury, Message, NewClaim, QueueKey, Release, Subscription
from sukkal.service.attempts import Attempts
from sukkal.service.attributes import DISABLED, DeadLetters
from sukkal.service.breakers import endpoint_of
from sukkal.service.encryption import Encryption
from sukkal.service.fan_out import Origin, origin_of, passing
from sukkal.service.heartbeats import Heartbeats
from sukkal.service.ledger import Ledger
from sukkal.service.lenses import Lenses, received
from sukkal.service.letters import Letters, further, letter, undeliverable
from sukkal.service.paces import Paces, at_once
from sukkal.service.retries import delay_s, schedule_of
from sukkal.service.senders import Senders
from sukkal.service.settling import Settling
from sukkal.service.subscriptions import Subscriptions
from sukkal.service.traces import kept_trace
from sukkal.sink import Delivery, Outcome, Sink
from sukkal.store import Store

__all__ = ["Deliveries"]

_log: Final = logging.getLogger("sukkal.deliveries")

_PAGE: Final = 100


class _Batch(msgspec.Struct):
    """What a worker holds: a claim on a backlog, and all that is needed to deliver it."""

    key: QueueKey
    claim: NewClaim
    ends_ms: int
    subscription: Subscription
    metadata: Mapping[str, Any]
    sink: Sink
    endpoint: str
    messages: Sequence[Message]
    settling: Settling


class Deliveries:
    """Starts workers for backlogs that have something to deliver."""

    def __init__(
        self,
        store: Store,
        subscriptions: Subscriptions,
        senders: Senders,
        encryption: Encryption,
        lenses: Lenses,
        heartbeats: Heartbeats,
        letters: Letters,
        ledger: Ledger,
        attempts: Attempts,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        jitter: Callable[[], float],
        *,
        timeout_s: int,
        consumers: Mapping[str, Callable[[QueueKey], Awaitable[bool]]],
    ) -> None:
        self._store = store
        self._subscriptions = subscriptions
        self._senders = senders
        self._encryption = encryption
        self._lenses = lenses
        self._heartbeats = heartbeats
        self._letters = letters
        self._ledger = ledger
        self._attempts = attempts
        self._now_ms = now_ms
        self._new_id = new_id
        self._jitter = jitter
        self._timeout_s = timeout_s
        # Backlogs of the service's own, by their names, and what takes some of them and tells whether there was any.
        self._consumers = consumers
        # Long enough for an attempt that begins when half of it is over.
        self._lease_s = 2 * (timeout_s + limits.DELIVERY_TIMEOUT_SPARE_S)
        self._breakers = ledger.breakers
        self._paces = Paces(now_ms)
        self._workers: dict[QueueKey, asyncio.Task[None]] = {}
        self._by_project: Counter[str] = Counter()
        self._not_before_ms: dict[QueueKey, int] = {}
        self._after: QueueKey | None = None
        self._closing = False
        self.due = asyncio.Event()

    @property
    def at_work(self) -> int:
        """How many workers are at work."""
        return len(self._workers)

    @property
    def left_alone(self) -> int:
        """How many backlogs have to wait for a while, for their endpoint, their pace or room."""
        return len(self._not_before_ms)

    def wake(self, backlogs: Sequence[QueueKey]) -> None:
        """Begin with these backlogs at once, as far as there are workers; the others are found in the next round."""
        for key in backlogs:
            self._start(key)

    async def round(self) -> None:
        """Look for backlogs that have something to deliver and give them workers."""
        self.due.clear()
        now_ms = self._now_ms()
        self._not_before_ms = {key: at_ms for key, at_ms in self._not_before_ms.items() if at_ms > now_ms}
        # Where the last round had to stop for want of workers this one goes on, so that everybody gets a turn.
        after = self._after
        while not self._closing:
            keys = await self._store.due_queues(now_ms=now_ms, limit=_PAGE, backlogs=True, after=after)
            for key in keys:
                if len(self._workers) >= limits.DELIVERY_WORKERS_MAX:
                    self._after = key
                    return
                self._start(key)
            if len(keys) < _PAGE:
                self._after = None
                return
            after = keys[-1]

    async def settled(self) -> None:
        """Wait until no worker is at work."""
        while self._workers:
            await asyncio.wait(self._workers.values())

    async def close(self, grace_s: float) -> None:
        """Start nothing more, let the attempts that run end, and give back the rest; after the grace break off."""
        self._closing = True
        if self._workers:
            await asyncio.wait(self._workers.values(), timeout=grace_s)
        for worker in self._workers.values():
            worker.cancel()
        await self.settled()

    def _start(self, key: QueueKey) -> None:
        free = len(self._workers) < limits.DELIVERY_WORKERS_MAX
        fair = self._by_project[key.project] < limits.DELIVERY_WORKERS_PER_PROJECT_MAX
        if self._closing or not (free and fair) or key in self._workers or key in self._not_before_ms:
            return
        self._by_project[key.project] += 1
        # Whoever's post sets it off, it delivers those of all.
        worker = asyncio.get_running_loop().create_task(self._work(key), context=on_behalf_of_many())
        self._workers[key] = worker
        worker.add_done_callback(lambda _: self._ended(key))

    def _ended(self, key: QueueKey) -> None:
        del self._workers[key]
        self._by_project[key.project] -= 1
        if not self._by_project[key.project]:
            del self._by_project[key.project]
        # Something may have come while it was about to end, or waited for a worker.
        self.due.set()

    # -- one worker

    async def _work(self, key: QueueKey) -> None:
        set_log_fields({"project": key.project, "subscription": key.name})
        try:
            await self._work_off(key)
        except SukkalError as error:
            _log.warning("deliveries of backlog %s stopped: %s", key.name, error)
            self._pause(key)
        except Exception:  # noqa: BLE001 - a defect must not be met again and again without a pause
            _log.exception("deliveries of backlog %s failed", key.name)
            self._pause(key)

    def _pause(self, key: QueueKey) -> None:
        self._not_before_ms[key] = self._now_ms() + limits.DELIVERY_TROUBLE_PAUSE_S * limits.SECOND_MS

    async def _work_off(self, key: QueueKey) -> None:
        if (consumer := self._consumers.get(key.name)) is not None:
            while not self._closing and await consumer(key):
                pass
            return
        batch = await self._take(key)
        while batch is not None:
            try:
                goes_on = await self._try_all(batch) and not self._closing
            except BaseException:
                await batch.settling.end()
                raise
            # Both go into one transaction.
            taking = asyncio.ensure_future(self._take(key, limit=_next_limit(batch))) if goes_on else None
            try:
                await batch.settling.end()
            except BaseException:
                if taking is not None and (taken := await taking) is not None:
                    await taken.settling.end()
                raise
            batch = await taking if taking is not None else None

    async def _take(self, key: QueueKey, *, limit: int = limits.DELIVERIES_AT_ONCE) -> _Batch | None:
        """Claim some deliveries, if there are any."""
        if self._closing:
            return None
        claim = NewClaim(id=self._new_id(), ttl_s=self._lease_s, grace_s=limits.CLAIM_GRACE_S_MIN)
        now_ms = self._now_ms()
        messages = await self._store.claim(key, claim, limit=limit, now_ms=now_ms)
        if not messages:
            return None
        origin = origin_of(messages[0].attributes)
        found = origin and await self._store.list_subscriptions(
            origin.key(key.project), after="", limit=1, now_ms=now_ms, ids=(key.name,)
        )
        sink = self._senders.of(found[0].subscriber) if found else None
        if origin is None or not found or sink is None:
            # The subscription has ended, and its backlog goes with it; or its sink was taken out of the service.
            rest = Release(delay_s=limits.RETRY_DELAY_S_MAX) if found else Ack()
            await self._store.settle(key, claim.id, {}, now_ms=self._now_ms(), rest=rest)
            return None
        queue = await self._store.get_queue(origin.key(key.project))
        return _Batch(
            key,
            claim,
            now_ms + claim.ttl_s * limits.SECOND_MS,
            found[0],
            queue.metadata if queue else {},
            sink,
            endpoint_of(found[0]),
            messages,
            Settling(self._store, key, claim.id, self._now_ms),
        )

    async def _try_all(self, batch: _Batch) -> bool:
        """Try what was claimed; tell whether to claim more."""
        left = await self._heartbeats.without_deadlines(batch.subscription, batch.messages, batch.settling)
        if DISABLED in batch.subscription.options:
            reason = str(batch.subscription.options[DISABLED])
            for message in left:
                await self._give_up(batch, message, _origin(message), reason)
            return True
        while left:
            count = self._allowed(batch, len(left))
            group, left = left[:count], left[count:]
            if not (group and await self._hold(batch) and await self._try_group(batch, group)):
                return False
        return True

    def _allowed(self, batch: _Batch, wanted: int) -> int:
        """Return how many deliveries may be made now; if none, note when there may be again."""
        if self._closing:
            return 0
        if paused_ms := self._breakers.open_until_ms(batch.endpoint):
            self._not_before_ms[batch.key] = paused_ms
            return 0
        most = 1 if self._breakers.probing(batch.endpoint) else at_once(batch.subscription)
        allowed = self._paces.take(batch.subscription, min(wanted, most))
        if not allowed:
            self._not_before_ms[batch.key] = self._paces.next_ms(batch.subscription)
        return allowed

    async def _try_group(self, batch: _Batch, group: Sequence[Message]) -> bool:
        """Make one attempt for each, all at once; tell whether to go on with the next."""
        if len(group) == 1:
            return await self._try(batch, group[0])
        # All are waited for: what has been delivered must be settled even if the outcome of another cannot be kept.
        ends = await asyncio.gather(*(self._try(batch, message) for message in group), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return all(ends)

    async def _hold(self, batch: _Batch) -> bool:
        """Make sure that the claim outlives another attempt; tell whether it does."""
        now_ms = self._now_ms()
        if batch.ends_ms - now_ms >= self._lease_s * limits.SECOND_MS // 2:
            return True
        claim = batch.claim
        try:
            await self._store.extend(batch.key, claim.id, ttl_s=claim.ttl_s, grace_s=claim.grace_s, now_ms=now_ms)
        except ClaimNotFound:
            return False
        batch.ends_ms = now_ms + claim.ttl_s * limits.SECOND_MS
        return True

    async def _try(self, batch: _Batch, message: Message) -> bool:
        """Make one attempt and keep its outcome; tell whether to go on with the next."""
        add_log_fields(queue=batch.subscription.queue.name, message=message.id)
        origin = _origin(message)
        try:
            body = self._encryption.open_one(batch.key.project, message).body
        except KeyUnavailable as error:
            self._put_off(batch, message, origin, str(error))
            return True
        began_ms = self._now_ms()
        outcome = await self._attempt(batch, message, origin, body)
        if not (outcome.attempted or outcome.delivered):
            self._wait_for_room(batch, message, origin, outcome)
            return False
        origin = msgspec.structs.replace(
            origin, attempts=origin.attempts + 1, status=outcome.status, error=outcome.error
        )
        self._ledger.note(batch.subscription.id, message.id, origin, began_ms, outcome)
        if outcome.delivered:
            self._breakers.succeeded(batch.endpoint)
            batch.settling.add(message.id, Ack())
            return not batch.settling.lost
        if outcome.gone:
            await self._subscriptions.disable(batch.subscription, "the receiver answered that it is gone")
            await self._give_up(batch, message, origin, "gone")
            return False
        if not outcome.permanent:  # That is about the delivery, not about the endpoint.
            self._breakers.failed(batch.endpoint)
        schedule = schedule_of(batch.subscription.options, batch.metadata)
        pause_s = delay_s(schedule, origin.attempts, retry_after_s=outcome.retry_after_s, jitter=self._jitter())
        if pause_s is None or outcome.permanent:
            await self._give_up(batch, message, origin, "permanent" if outcome.permanent else "attempts")
            return True
        kept = msgspec.json.encode(origin)
        batch.settling.add(message.id, Release(delay_s=pause_s, attributes=kept))
        return not batch.settling.lost

    async def _attempt(self, batch: _Batch, message: Message, origin: Origin, body: bytes) -> Outcome:
        subscription = batch.subscription
        media_type = None
        if not origin.notice:
            what = received(subscription.queue, msgspec.structs.replace(message, ttl_s=origin.ttl_s))
            body, media_type = self._lenses.delivered(subscription, body, what)
        delivery = Delivery(
            id=message.id,
            attempt=origin.attempts + 1,
            body=body,
            ttl_s=origin.ttl_s,
            posted_ms=message.created_ms,
            project=batch.key.project,
            queue_name=subscription.queue.name,
            subscription_id=subscription.id,
            subscriber=subscription.subscriber,
            options=subscription.options,
            now_ms=self._now_ms(),
            timeout_s=self._timeout_s,
            notice=origin.notice,
            passed=(*origin.passed, passing(subscription.queue)),
            media_type=media_type,
            trace=kept_trace(message.attributes),
        )
        return await self._attempts.make(batch.sink, delivery)

    def _put_off(self, batch: _Batch, message: Message, origin: Origin, reason: str) -> None:
        """Let a delivery that cannot be read wait, which is no attempt, so that those behind it go on."""
        kept = msgspec.json.encode(msgspec.structs.replace(origin, error=reason))
        batch.settling.add(message.id, Release(delay_s=limits.DELIVERY_UNREADABLE_PAUSE_S, attributes=kept))

    def _wait_for_room(self, batch: _Batch, message: Message, origin: Origin, outcome: Outcome) -> None:
        """Leave a delivery that was not even begun in its place, and the whole backlog alone for a while."""
        pause_s = min(outcome.retry_after_s or limits.DELIVERY_UNATTEMPTED_PAUSE_S, limits.RETRY_AFTER_S_MAX)
        self._not_before_ms[batch.key] = self._now_ms() + pause_s * limits.SECOND_MS
        kept = msgspec.json.encode(msgspec.structs.replace(origin, error=outcome.error))
        batch.settling.add(message.id, Release(attributes=kept))

    async def _give_up(self, batch: _Batch, message: Message, origin: Origin, reason: str) -> None:
        """Put a delivery where a person finds it: into the dead-letter queue if there is one, else aside."""
        subscription = batch.subscription
        self._attempts.give_up(reason)
        target = subscription.options.get("_dead_letter_queue") or batch.metadata.get("_dead_letter_queue")
        if not isinstance(target, str):
            batch.settling.add(message.id, Bury(attributes=_dead(origin)))
            return
        why = undeliverable(subscription, origin, reason)
        ttl_s = DeadLetters(batch.metadata).ttl_s or max(origin.ttl_s, limits.DEAD_DELIVERY_TTL_S_MIN)
        passed = further(origin.passed, subscription.queue)
        dead = letter(message, why, ttl_s=ttl_s, passed=passed)
        # Dying between the two steps repeats the first, which changes nothing.
        await self._letters.post(QueueKey(batch.key.project, target), (dead,), passed)
        batch.settling.add(message.id, Ack())


def _next_limit(batch: _Batch) -> int:
    """Return how many to claim when those before were delivered: more, as long as they are small."""
    size = sum(len(message.body) for message in batch.messages)
    return limits.DELIVERIES_AT_ONCE if size > limits.DELIVERIES_CLAIMED_BYTES else limits.DELIVERIES_CLAIMED_MAX


def _origin(message: Message) -> Origin:
    origin = origin_of(message.attributes)
    assert origin is not None  # noqa: S101 - nothing else is put into a backlog
    return origin


def _dead(origin: Origin) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(origin, dead=True))

"""Heartbeats: telling a listener that an expected event did not come in time.

The deadline is a delayed message in the subscription's own backlog, which a worker of deliveries claims like any
other: so it survives what deliveries survive, and nothing has to be begun when the service starts. Events do not move
it. Each leaves a record of when it came, which decides at the deadline whether there was silence, or there is a later
deadline.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.format import Event
from sukkal.formats import cloudevents
from sukkal.formats.members import JSON, path_of
from sukkal.formats.times import rfc3339_of_ms
from sukkal.model import Ack, Message, NewMessage, Once, Post, Record, RecordKey, Release, Settlement, Subscription
from sukkal.service.fan_out import Origin, obstacle, origin_of
from sukkal.service.listener_terms import LISTENER, Heartbeat, terms_of
from sukkal.service.settling import Settling
from sukkal.service.subscription_lists import id_of
from sukkal.settings import Settings
from sukkal.store import Engine

__all__ = ["OVERDUE", "Heartbeats"]

OVERDUE: Final = "sukkal.listener.overdue"
"""The type of the event that tells of silence."""

_KIND: Final = "heartbeat"


class Heartbeats:
    """Sets deadlines, notes the events that were expected, and tells of silence, once each time."""

    def __init__(
        self, engine: Engine, settings: Settings, now_ms: Callable[[], int], new_id: Callable[[], str]
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._now_ms = now_ms
        self._new_id = new_id

    async def begin(self, subscription: Subscription) -> None:
        """Set the deadline of a subscription that has a heartbeat; one that is set already stays."""
        heartbeat = _heartbeat(subscription)
        if heartbeat is None:
            return
        now_ms = self._now_ms()
        deadline = NewMessage(
            id=subscription.id,
            body=b"null",
            ttl_s=limits.HEARTBEAT_TTL_S,
            delay_s=heartbeat.within,
            attributes=msgspec.json.encode(self._origin(subscription, heard_ms=now_ms)),
        )
        await self._engine.publish((Post(subscription.backlog, (deadline,)),), now_ms=now_ms)

    async def heard(self, subscriptions: Sequence[Subscription]) -> None:
        """Note durably that an event comes which these subscriptions wait for."""
        expected = [each for each in subscriptions if LISTENER in each.options]
        waited = [(each, beat.within) for each in expected if (beat := _heartbeat(each)) is not None]
        if waited:
            # All in one commit, if the store can do that.
            await asyncio.gather(*[self._note(each, within_s) for each, within_s in waited])

    async def _note(self, subscription: Subscription, within_s: int) -> None:
        now_ms = self._now_ms()
        # At each deadline the record is taken over, so it need not last much longer than until the next.
        expires_ms = now_ms + (within_s + limits.BACKLOG_TTL_S) * limits.SECOND_MS
        await self._engine.put_record(_record_key(subscription), b"%d" % now_ms, now_ms=now_ms, expires_ms=expires_ms)

    async def without_deadlines(
        self, subscription: Subscription, messages: Sequence[Message], settling: Settling
    ) -> list[Message]:
        """Do what deadlines ask for that were claimed with deliveries, and return the deliveries."""
        deliveries = []
        for message in messages:
            origin = origin_of(message.attributes)
            if origin is None or origin.heard_ms is None:
                deliveries.append(message)
            else:
                settling.add(message.id, await self._at_deadline(subscription, origin, origin.heard_ms))
        return deliveries

    async def _at_deadline(self, subscription: Subscription, origin: Origin, known_ms: int) -> Settlement:
        heartbeat = _heartbeat(subscription)
        if heartbeat is None:
            return Ack()
        now_ms, within_ms = self._now_ms(), heartbeat.within * limits.SECOND_MS
        if obstacle(subscription, confirmed_only=self._settings.require_confirmation) is not None:
            # Nothing is told to it, so its time begins anew.
            return _later(origin, heartbeat.within, heard_ms=now_ms, told=False)
        record = await self._engine.get_record(_record_key(subscription), now_ms=now_ms)
        heard_ms = max(known_ms, _moment(record))
        told = origin.told and heard_ms == known_ms
        left_ms = heard_ms + within_ms - now_ms
        if left_ms <= 0 and not told:
            await self._tell(subscription, heartbeat, heard_ms, now_ms)
            told = True
        # While there is silence it looks often enough that no later deadline can pass in between.
        pause_s = heartbeat.within if told else -(-left_ms // limits.SECOND_MS)
        return _later(origin, pause_s, heard_ms=heard_ms, told=told)

    async def _tell(self, subscription: Subscription, heartbeat: Heartbeat, heard_ms: int, now_ms: int) -> None:
        id_ = id_of(subscription)
        event = Event(
            id=f"{subscription.id}-{heard_ms}",
            source=path_of("v2", "listeners", id_),
            type=OVERDUE,
            time=rfc3339_of_ms(now_ms),
            datacontenttype=JSON,
            data={
                "listener": id_,
                "since": rfc3339_of_ms(heard_ms),
                "within": heartbeat.within,
                "expected": subscription.options[LISTENER],
            },
        )
        notice = NewMessage(
            id=self._new_id(),
            body=cloudevents.encode(event),
            ttl_s=limits.BACKLOG_TTL_S,
            attributes=msgspec.json.encode(self._origin(subscription)),
        )
        # Dying behind this repeats it, which tells nothing twice.
        ends_ms = now_ms + self._settings.idempotency_window_s * limits.SECOND_MS
        once = Once(key=f"overdue:{heard_ms}", fingerprint=b"", expires_ms=ends_ms)
        await self._engine.publish((Post(subscription.backlog, (notice,)),), now_ms=now_ms, once=once)

    def _origin(self, subscription: Subscription, *, heard_ms: int | None = None) -> Origin:
        queue = subscription.queue
        return Origin(queue.name, queue.kind, self._settings.default_message_ttl, heard_ms=heard_ms)


def _heartbeat(subscription: Subscription) -> Heartbeat | None:
    terms = terms_of(subscription.options)
    return None if terms is None else terms.heartbeat


def _record_key(subscription: Subscription) -> RecordKey:
    return RecordKey(_KIND, subscription.queue.project, subscription.id)


def _moment(record: Record | None) -> int:
    return 0 if record is None else int(record.value)


def _later(origin: Origin, pause_s: int, *, heard_ms: int, told: bool) -> Release:
    kept = replace(origin, heard_ms=heard_ms, told=told)
    return Release(delay_s=pause_s, attributes=msgspec.json.encode(kept))

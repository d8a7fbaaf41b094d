"""What a queue in memory holds, and the few things that can happen to it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import IdempotencyConflict
from sukkal.model import (
    Ack,
    Bury,
    Claim,
    Idle,
    Message,
    NewMessage,
    Once,
    Position,
    Queue,
    Release,
    Settlement,
    Stats,
    Subscription,
    Usage,
    View,
)

__all__ = [
    "Contents",
    "Delivery",
    "after_position",
    "hold",
    "position_of",
    "remove",
    "settle",
    "shown",
    "stats",
    "usage",
    "visible",
]

_COUNTED: Final = ("queue", "topic", "history")

K = TypeVar("K")


@dataclass
class Delivery:
    """A message's place in a queue. ``message.claim_id`` may name a claim that has ended."""

    message: Message
    set_aside: bool = False
    key: bytes | None = None

    def live(self, now_ms: int) -> bool:
        """Whether it has not expired."""
        return now_ms < self.message.expires_ms

    def waits(self, now_ms: int) -> bool:
        """Whether it is claimed or delayed."""
        return now_ms < self.message.visible_ms

    def claimed(self, now_ms: int) -> bool:
        """Whether a live claim holds it."""
        return self.message.claim_id is not None and self.waits(now_ms)

    def shown(self, now_ms: int) -> Message:
        """Return the message as a reader sees it: without a claim that has ended."""
        return self.message if self.claimed(now_ms) else replace(self.message, claim_id=None)


@dataclass
class Contents:
    """A queue with everything in it. ``removed`` is the greatest sequence of what is gone.

    A backlog has an end, ``ends_ms``, and what came from another engine the ``token`` of who brought it.
    """

    queue: Queue
    metadata: bytes
    epoch: int
    removed: int = 0
    ends_ms: int | None = None
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    once: dict[str, tuple[Once, tuple[tuple[str, ...], ...]]] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    token: int = 0

    def ended(self, now_ms: int) -> bool:
        """Whether it is a backlog whose subscription has expired."""
        return self.ends_ms is not None and now_ms >= self.ends_ms

    def insert(self, new: NewMessage, next_sequence: Callable[[], int], now_ms: int) -> int:
        """Add a message and return its sequence, 0 if its id is there already."""
        present = self.deliveries.get(new.id)
        if present is not None:
            if present.live(now_ms):
                return 0
            self.remove((new.id,))
        message = Message(
            id=new.id,
            body=new.body,
            ttl_s=new.ttl_s,
            created_ms=now_ms,
            expires_ms=now_ms + new.ttl_s * limits.SECOND_MS,
            visible_ms=now_ms + new.delay_s * limits.SECOND_MS,
            sequence=next_sequence(),
            client=new.client,
            attributes=new.attributes,
        )
        if new.key is not None:
            older = [
                id_
                for id_, each in self.deliveries.items()
                if each.key == new.key and not each.set_aside and not each.claimed(now_ms)
            ]
            self.remove(older)
        self.deliveries[new.id] = Delivery(message, key=new.key)
        return message.sequence

    def earlier(self, once: Once, now_ms: int) -> tuple[tuple[str, ...], ...] | None:
        """Return the ids of an earlier post with the same idempotency key."""
        known = self.once.get(once.key)
        if known is None or now_ms >= known[0].expires_ms:
            return None
        if known[0].fingerprint != once.fingerprint:
            raise IdempotencyConflict(
                "The idempotency key was used before with another request. Use a new key for a new request."
            )
        return known[1]

    def remove(self, ids: Iterable[str]) -> int:
        """Remove deliveries and return how many."""
        removed = [self.deliveries.pop(id_).message.sequence for id_ in ids]
        self.removed = max([self.removed, *removed])
        return len(removed)

    def live(self, now_ms: int) -> Iterator[Delivery]:
        """Return the live deliveries in the order of posting."""
        return (delivery for delivery in self.deliveries.values() if delivery.live(now_ms))

    def sizes(self, now_ms: int) -> list[int]:
        """Return the sizes of the bodies of the live deliveries."""
        return [len(delivery.message.body) for delivery in self.live(now_ms)]

    def is_idle(self, idle: Idle, now_ms: int) -> bool:
        """Tell whether nothing has happened since somebody found the queue idle."""
        numbers = (self.epoch, self.removed, *(each.message.sequence for each in self.deliveries.values()))
        if self.queue.revision != idle.revision or max(numbers) > idle.last:
            return False
        return not self.subscriptions and not any(delivery.claimed(now_ms) for delivery in self.live(now_ms))

    def free(self, now_ms: int, *, set_aside: bool = False) -> list[Delivery]:
        """Return what can be claimed, in the order in which it became free."""
        found = [
            delivery for delivery in self.live(now_ms) if not delivery.waits(now_ms) and delivery.set_aside is set_aside
        ]
        return sorted(found, key=lambda delivery: (delivery.message.visible_ms, delivery.message.sequence))

    def live_claim(self, claim_id: str, now_ms: int) -> Claim | None:
        """Return a claim that has not ended."""
        claim = self.claims.get(claim_id)
        return claim if claim is not None and now_ms < claim.expires_ms else None

    def held(self, claim_id: str, now_ms: int) -> list[Delivery]:
        """Return what a live claim holds."""
        return [
            delivery
            for delivery in self.live(now_ms)
            if delivery.message.claim_id == claim_id and delivery.waits(now_ms)
        ]


def shown(contents: Contents) -> Queue:
    """Return the queue as a caller sees it."""
    # A copy: what a caller does with it must not change what is kept.
    metadata = msgspec.json.decode(contents.metadata, type=dict[str, Any])
    return replace(contents.queue, metadata=metadata, subscriptions=len(contents.subscriptions))


def hold(delivery: Delivery, ends_ms: int, ttl_s: int, grace_s: int) -> None:
    """Let a claim hold a delivery until ``ends_ms``."""
    message = replace(delivery.message, visible_ms=ends_ms)
    if message.expires_ms < ends_ms:
        # It outlives the claim that holds it.
        message = replace(message, expires_ms=ends_ms + grace_s * limits.SECOND_MS, ttl_s=ttl_s + grace_s)
    delivery.message = message


def settle(contents: Contents, delivery: Delivery, settlement: Settlement, now_ms: int) -> None:
    """Acknowledge or release a delivery."""
    if isinstance(settlement, Ack):
        contents.remove((delivery.message.id,))
        return
    if settlement.attributes is not None:
        delivery.message = replace(delivery.message, attributes=settlement.attributes)
    if isinstance(settlement, Bury):
        _release(delivery, Release(), now_ms)
        delivery.set_aside = True
    else:
        _release(delivery, settlement, now_ms)


def _release(delivery: Delivery, release: Release, now_ms: int) -> None:
    message = delivery.message
    visible_ms = now_ms + release.delay_s * limits.SECOND_MS if release.delay_s else message.created_ms
    delivery.message = replace(message, claim_id=None, visible_ms=visible_ms)
    delivery.set_aside = delivery.set_aside and not release.revive


def position_of(delivery: Delivery, *, free: bool) -> Position:
    """Return where a delivery stands in a view."""
    message = delivery.message
    return Position(message.visible_ms if free else message.created_ms, message.sequence)


def after_position(scanned: Iterable[Delivery], after: Position | None, *, free: bool) -> Iterator[Delivery]:
    """Return the deliveries that stand behind a position."""
    for delivery in scanned:
        position = position_of(delivery, free=free)
        if after is None or (position > after if free else position.sequence > after.sequence):
            yield delivery


def visible(delivery: Delivery, view: View, now_ms: int) -> bool:
    """Tell whether a view shows a delivery."""
    if view.not_from and delivery.message.client == view.not_from:
        return False
    if not delivery.waits(now_ms):
        return True
    return view.claimed if delivery.claimed(now_ms) else view.delayed


def stats(live: Sequence[Delivery], now_ms: int) -> Stats:
    """Count the live deliveries of a queue."""
    if not live:
        return Stats()
    claimed = sum(delivery.claimed(now_ms) for delivery in live)
    waiting = sum(delivery.waits(now_ms) for delivery in live)
    return Stats(
        claimed=claimed,
        delayed=waiting - claimed,
        free=len(live) - waiting,
        oldest=live[0].shown(now_ms),
        newest=live[-1].shown(now_ms),
    )


def usage(queues: Iterable[Contents], now_ms: int) -> Usage:
    """Count what the queues of a project keep, histories included."""
    kept = [each for each in queues if each.queue.key.kind in _COUNTED]
    own = [each for each in kept if each.queue.key.kind != "history"]
    sizes = [size for each in kept for size in each.sizes(now_ms)]
    subscriptions = sum(now_ms < one.expires_ms for each in own for one in each.subscriptions.values())
    return Usage(queues=len(own), messages=len(sizes), bytes=sum(sizes), subscriptions=subscriptions)


def remove(rows: dict[K, Any], keys: Sequence[K]) -> int:
    """Remove entries and return how many there were."""
    for key in keys:
        del rows[key]
    return len(keys)

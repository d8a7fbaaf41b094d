"""Steps that take, hold and settle messages."""

from collections.abc import Mapping
from typing import NamedTuple

import apsw
from msgspec.structs import replace

from sukkal.engines.lifetimes import SET_ASIDE, lifetime_class
from sukkal.engines.sqlite.catalogue import Catalogue
from sukkal.engines.sqlite.free import free_messages, set_aside_messages
from sukkal.engines.sqlite.rows import fetch
from sukkal.engines.sqlite.statements import SQL
from sukkal.errors import ClaimNotFound
from sukkal.model import Ack, Bury, Message, NewClaim, QueueKey, Settled, Settlement

__all__ = ["claim", "extend", "settle"]


class _Place(NamedTuple):
    """Where a live message stands."""

    sequence: int
    claim: int | None
    visible_ms: int
    expires_ms: int
    created_ms: int
    lifetime: int


def claim(
    writer: apsw.Connection,
    catalogue: Catalogue,
    key: QueueKey,
    new: NewClaim,
    *,
    limit: int,
    now_ms: int,
    max_attempts: int | None,
    set_aside: bool,
    settle: bool,
) -> tuple[Message, ...]:
    """Take the first free messages."""
    entry = catalogue.present_live(key, now_ms)
    if entry is None:
        return ()
    queue = entry.number
    if set_aside:
        found = set_aside_messages(writer, queue, limit=limit, now_ms=now_ms)
    elif max_attempts is None:
        found = free_messages(writer, queue, after=None, limit=limit, now_ms=now_ms)
    else:
        found = _free_below(writer, queue, limit, now_ms, max_attempts)
    if not found:
        return ()
    number = catalogue.next_number()
    taken = tuple(_taken(message, new, now_ms, counted=not set_aside) for message in found)
    if settle:
        writer.executemany(SQL.delete_message, [(message.sequence,) for message in taken])
        catalogue.removed(queue, max([message.sequence for message in taken]))
        return taken
    ends_ms = now_ms + new.ttl_s * 1_000
    writer.execute(SQL.insert_claim, (number, queue, new.id, new.ttl_s, new.grace_s, now_ms, ends_ms))
    exhausted_at = 0 if set_aside else max_attempts
    writer.executemany(SQL.take, [_held(number, message, exhausted_at) for message in taken])
    kept = zip(found, taken, strict=True)
    longer = [(after.ttl_s, after.expires_ms, after.sequence) for before, after in kept if _lives_longer(before, after)]
    if longer:
        writer.executemany(SQL.keep, longer)
    return taken


def _free_below(writer: apsw.Connection, queue: int, limit: int, now_ms: int, max_attempts: int) -> list[Message]:
    # Exhausted messages are met only after the queue's limit was lowered: the others were set aside when their last
    # claim was made. Each is met once.
    while True:
        free = free_messages(writer, queue, after=None, limit=limit, now_ms=now_ms)
        exhausted = [(message.sequence,) for message in free if message.attempts >= max_attempts]
        if not exhausted:
            return free
        writer.executemany(SQL.set_aside, exhausted)


def _taken(message: Message, new: NewClaim, now_ms: int, *, counted: bool) -> Message:
    ends_ms = now_ms + new.ttl_s * 1_000
    ttl_s, expires_ms = _kept(message.ttl_s, message.expires_ms, ends_ms, new.ttl_s, new.grace_s)
    return replace(
        message,
        claim_id=new.id,
        visible_ms=ends_ms,
        ttl_s=ttl_s,
        expires_ms=expires_ms,
        attempts=message.attempts + counted,
    )


def _kept(ttl_s: int, expires_ms: int, ends_ms: int, claim_ttl_s: int, grace_s: int) -> tuple[int, int]:
    """Return the ttl and expiry of a message held until ``ends_ms``: it outlives its claim."""
    if expires_ms >= ends_ms:
        return ttl_s, expires_ms
    return claim_ttl_s + grace_s, ends_ms + grace_s * 1_000


def _held(number: int, message: Message, exhausted_at: int | None) -> tuple[int, int, int, int, int]:
    aside = exhausted_at is not None and message.attempts >= exhausted_at
    lifetime = SET_ASIDE if aside else lifetime_class(message.expires_ms - message.visible_ms)
    return number, message.visible_ms, lifetime, message.attempts, message.sequence


def _lives_longer(before: Message, held: Message) -> bool:
    return held.expires_ms != before.expires_ms


def extend(
    writer: apsw.Connection,
    catalogue: Catalogue,
    key: QueueKey,
    claim_id: str,
    *,
    ttl_s: int,
    grace_s: int,
    now_ms: int,
) -> None:
    """Begin a live claim's time anew."""
    _, number = _live_claim(writer, catalogue, key, claim_id, now_ms)
    ends_ms = now_ms + ttl_s * 1_000
    writer.execute(SQL.extend_claim, (ttl_s, grace_s, now_ms, ends_ms, number))
    for sequence, expires_ms, lifetime, message_ttl_s in fetch(writer, SQL.held_longer, (number, now_ms)):
        new_ttl_s, new_expires_ms = _kept(message_ttl_s, expires_ms, ends_ms, ttl_s, grace_s)
        if lifetime != SET_ASIDE:
            lifetime = lifetime_class(new_expires_ms - ends_ms)
        writer.execute(SQL.hold_longer, (ends_ms, lifetime, new_ttl_s, new_expires_ms, sequence))


def settle(
    writer: apsw.Connection,
    catalogue: Catalogue,
    key: QueueKey,
    claim_id: str,
    settlements: Mapping[str, Settlement],
    *,
    now_ms: int,
    rest: Settlement | None,
) -> dict[str, Settled]:
    """Settle messages that a live claim holds."""
    queue, number = _live_claim(writer, catalogue, key, claim_id, now_ms)
    outcome: dict[str, Settled] = {}
    gone: list[int] = []
    for id_, settlement in settlements.items():
        outcome[id_] = _settle_one(writer, queue, number, id_, settlement, now_ms, gone)
    if rest is not None:
        for row in fetch(writer, SQL.held_places, (number, now_ms)):
            _apply(writer, _Place(*row), rest, now_ms, gone)
        writer.execute(SQL.delete_claim, (number,))
    if gone and key.kind != "backlog":
        catalogue.removed(queue, max(gone))
    return outcome


def _settle_one(
    writer: apsw.Connection,
    queue: int,
    number: int,
    id_: str,
    settlement: Settlement,
    now_ms: int,
    gone: list[int],
) -> Settled:
    """Settle a message; the sequence of one that is removed is added to ``gone``."""
    for row in fetch(writer, SQL.place, (queue, id_, now_ms)):
        place = _Place(*row)
        if place.claim is None or place.visible_ms <= now_ms:
            return Settled.NOT_CLAIMED
        if place.claim != number:
            return Settled.OTHER_CLAIM
        _apply(writer, place, settlement, now_ms, gone)
        return Settled.DONE
    return Settled.MISSING


def _apply(writer: apsw.Connection, place: _Place, settlement: Settlement, now_ms: int, gone: list[int]) -> None:
    if isinstance(settlement, Ack):
        writer.execute(SQL.delete_message, (place.sequence,))
        gone.append(place.sequence)
        return
    if isinstance(settlement, Bury):
        writer.execute(SQL.release, (place.created_ms, SET_ASIDE, settlement.attributes, place.sequence))
        return
    visible_ms = now_ms + settlement.delay_s * 1_000 if settlement.delay_s else place.created_ms
    lifetime = place.lifetime
    if lifetime != SET_ASIDE or settlement.revive:
        lifetime = lifetime_class(place.expires_ms - visible_ms)
    writer.execute(SQL.release, (visible_ms, lifetime, settlement.attributes, place.sequence))


def _live_claim(
    writer: apsw.Connection, catalogue: Catalogue, key: QueueKey, claim_id: str, now_ms: int
) -> tuple[int, int]:
    entry = catalogue.present_live(key, now_ms)
    if entry is not None:
        for number, *_ in fetch(writer, SQL.claim, (entry.number, claim_id, now_ms)):
            return entry.number, number
    raise ClaimNotFound(f"Claim {claim_id} does not exist in queue {key.name} for project {key.project}")

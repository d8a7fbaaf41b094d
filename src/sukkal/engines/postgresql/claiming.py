"""Taking, holding and settling messages, for all calls of a batch at once."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sukkal.engines.postgresql.batches import KeyColumns, columns, known_as
from sukkal.engines.postgresql.database import Connection, fetch_one
from sukkal.engines.postgresql.rows import message_of
from sukkal.engines.postgresql.statements import SQL
from sukkal.errors import ClaimNotFound
from sukkal.model import Ack, Bury, Message, NewClaim, QueueKey, Settled, Settlement

__all__ = ["Claiming", "Extending", "Settling", "claim", "extend", "settle"]

_SETTLED: Final = (Settled.DONE, Settled.NOT_CLAIMED, Settled.OTHER_CLAIM, Settled.MISSING)
_ACK, _RELEASE, _BURY = range(3)


class Claiming(NamedTuple):
    """A call of ``claim``."""

    key: QueueKey
    new: NewClaim
    limit: int
    now_ms: int
    max_attempts: int | None
    set_aside: bool
    settle: bool


class Extending(NamedTuple):
    """A call of ``extend``."""

    key: QueueKey
    claim_id: str
    ttl_s: int
    grace_s: int
    now_ms: int


class Settling(NamedTuple):
    """A call of ``settle``."""

    key: QueueKey
    claim_id: str
    settlements: Mapping[str, Settlement]
    now_ms: int
    rest: Settlement | None


async def claim(connection: Connection, calls: Sequence[Claiming]) -> list[tuple[Message, ...]]:
    """Take the first free messages for each call."""
    keys = KeyColumns()
    rows = [
        (
            keys.place(call.key),
            call.new.id,
            call.new.ttl_s,
            call.new.grace_s,
            call.limit,
            call.now_ms,
            call.max_attempts,
            call.set_aside,
            call.settle,
        )
        for call in calls
    ]
    taken: list[list[Message]] = [[] for _ in calls]
    for row in await connection.fetch(SQL.claim, *keys.columns(), *columns(rows, 9)):
        taken[row[0] - 1].append(message_of(row, 1))
    return [tuple(messages) for messages in taken]


async def extend(connection: Connection, calls: Sequence[Extending]) -> list[ClaimNotFound | None]:
    """Begin the time of live claims anew."""
    keys = KeyColumns()
    rows = [(keys.place(call.key), known_as(call.claim_id), call.ttl_s, call.grace_s, call.now_ms) for call in calls]
    alive = await connection.fetchval(SQL.extend, *keys.columns(), *columns(rows, 5))
    return [None if each else _not_found(call) for call, each in zip(calls, alive, strict=True)]


async def settle(connection: Connection, calls: Sequence[Settling]) -> list[dict[str, Settled] | ClaimNotFound]:
    """Settle messages that live claims hold."""
    keys = KeyColumns()
    rows = [(keys.place(call.key), known_as(call.claim_id), call.now_ms, *_settlement(call.rest)) for call in calls]
    items = [
        (number, known_as(id_), *_settlement(settlement))
        for number, call in enumerate(calls, start=1)
        for id_, settlement in call.settlements.items()
    ]
    alive, told = await fetch_one(connection, SQL.settle, *keys.columns(), *columns(rows, 7), *columns(items, 6))
    outcomes = iter(told)
    results: list[dict[str, Settled] | ClaimNotFound] = []
    for call, lives in zip(calls, alive, strict=True):
        its = {id_: next(outcomes) for id_ in call.settlements}
        results.append({id_: _SETTLED[each] for id_, each in its.items()} if lives else _not_found(call))
    return results


def _settlement(settlement: Settlement | None) -> tuple[Any, ...]:
    if settlement is None:
        return None, None, None, None
    if isinstance(settlement, Ack):
        return _ACK, 0, False, None
    if isinstance(settlement, Bury):
        return _BURY, 0, False, settlement.attributes
    return _RELEASE, settlement.delay_s, settlement.revive, settlement.attributes


def _not_found(call: Extending | Settling) -> ClaimNotFound:
    key = call.key
    return ClaimNotFound(f"Claim {call.claim_id} does not exist in queue {key.name} for project {key.project}")

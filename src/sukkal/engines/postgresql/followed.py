"""Queries on queues that move: what they hold beside what callers see, and what has changed."""

import asyncpg
import msgspec

from sukkal.engines.lifetimes import SET_ASIDE
from sukkal.engines.marks import mark_of
from sukkal.engines.postgresql.reads import Fetching
from sukkal.engines.postgresql.rows import claim_of, message_of, queue_of, subscription_of
from sukkal.engines.postgresql.statements import SQL
from sukkal.model import Once, QueueKey
from sukkal.moving import Act, Changes, Details, Frame, Stored

__all__ = ["changes", "details", "frame", "stored_after"]


async def frame(reads: Fetching, key: QueueKey) -> Frame | None:
    """Return a queue without what it holds."""
    for *queue, number, last, ends_ms, token in await reads.fetch(SQL.frame, *_place(key), -1 - mark_of(key)):
        return Frame(queue=queue_of(key, *queue), epoch=number, last=last, ends_ms=ends_ms, token=token)
    return None


async def stored_after(
    reads: Fetching, key: QueueKey, sequence: int, *, limit: int, now_ms: int, bytes_max: int | None
) -> tuple[Stored, ...]:
    """Return messages behind a sequence."""
    return tuple(map(_stored, await reads.fetch(SQL.stored_after, *_place(key), sequence, limit, now_ms, bytes_max)))


async def changes(
    reads: Fetching, key: QueueKey, after: int, *, limit: int, now_ms: int, bytes_max: int | None
) -> Changes:
    """Return messages that have changed, in the order of their last changes."""
    rows = await reads.fetch(SQL.changed, *_place(key), after, limit, now_ms, bytes_max)
    stored = tuple([_stored(row) for row in rows if row[0] is not None])
    gone = tuple([row[14] for row in rows if row[0] is None])
    return Changes(stored, gone, rows[-1][13] if rows else None)


async def details(reads: Fetching, key: QueueKey, after: tuple[str, str], *, limit: int, now_ms: int) -> Details:
    """Return claims, then acts, then subscriptions."""
    table, name = after
    if table in ("", "claims"):
        claims = await reads.fetch(SQL.list_claims, *_place(key), name, now_ms, limit)
        following = ("claims", claims[-1][0]) if len(claims) == limit else ("once", "")
        return Details(claims=tuple([claim_of(*row) for row in claims]), next=following)
    if table == "once":
        acts = await reads.fetch(SQL.acts, *_place(key), name, now_ms, limit)
        following = ("once", acts[-1][0]) if len(acts) == limit else ("subscriptions", "")
        return Details(acts=tuple([_act(*row) for row in acts]), next=following)
    found = await reads.fetch(SQL.subscriptions, *_place(key), name, now_ms, limit, None, None)
    last = ("subscriptions", found[-1][0]) if len(found) == limit else None
    return Details(subscriptions=tuple([subscription_of(key, tuple(row)) for row in found]), next=last)


def _stored(row: asyncpg.Record) -> Stored:
    return Stored(message=message_of(row), set_aside=row[11] == SET_ASIDE, key=row[12])


def _act(key: str, fingerprint: bytes, ids: bytes, expires_ms: int) -> Act:
    once = Once(key=key, fingerprint=fingerprint, expires_ms=expires_ms)
    return Act(once, msgspec.json.decode(ids, type=tuple[tuple[str, ...], ...]))


def _place(key: QueueKey) -> tuple[str, str, str]:
    return key.project, key.kind, key.name

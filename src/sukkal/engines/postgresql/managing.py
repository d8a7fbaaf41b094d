"""Steps that make, change and remove queues, and the one that sweeps."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sukkal.engines.marks import mark_of
from sukkal.engines.postgresql.database import Connection, fetch_one
from sukkal.engines.postgresql.rows import queue_of
from sukkal.engines.postgresql.statements import SQL
from sukkal.engines.postgresql.subscriptions import remove_subscriptions, sweep_subscriptions
from sukkal.errors import RevisionConflict
from sukkal.model import Idle, Queue, QueueKey, Swept

__all__ = ["delete_queue", "put_queue", "sweep"]


async def put_queue(
    connection: Connection, key: QueueKey, metadata: Mapping[str, Any], *, revision: int | None, now_ms: int, gap: bool
) -> Queue:
    """Create the queue, or replace its metadata."""
    place, encoded = _place(key), msgspec.json.encode(metadata)
    await _hold(connection, key)
    rows = await connection.fetch(SQL.queues, *([part] for part in place))
    if (rows[0][2] if rows else None) != revision:
        raise _conflict(key)
    if not rows:
        if await connection.fetchval(SQL.create_queue, *place, -1 - mark_of(key), encoded, now_ms, None) is None:
            raise _conflict(key)
        queue = queue_of(key, encoded, 1, now_ms)
    else:
        queue = queue_of(key, encoded, *await fetch_one(connection, SQL.replace_metadata, *place, encoded))
    if gap:
        await connection.execute(SQL.note_gap, *place)
    return queue


async def _hold(connection: Connection, key: QueueKey) -> None:
    """Keep others from changing the queue, or from making it, until the transaction ends."""
    await connection.execute(SQL.lock_mark, -1 - mark_of(key))
    await connection.execute(SQL.hold_queues, *([part] for part in _place(key)))


async def delete_queue(
    connection: Connection, key: QueueKey, *, contents_only: bool, idle: Idle | None, now_ms: int
) -> bool:
    """Remove the queue or its contents."""
    place = _place(key)
    await _hold(connection, key)
    if idle is not None and not await connection.fetchval(SQL.is_idle, *place, idle.revision, idle.last, now_ms):
        return False
    if contents_only:
        return bool(await connection.fetchval(SQL.clear_queue, *place, -1 - mark_of(key)))
    await remove_subscriptions(connection, key)
    return bool(await connection.fetchval(SQL.remove_queue, *place, -1 - mark_of(key)))


async def sweep(connection: Connection, *, now_ms: int, limit: int) -> Swept:
    """Remove about ``limit`` rows."""
    if not await connection.fetchval(SQL.may_sweep):
        return Swept(0, more=False)
    await connection.execute(SQL.sweep_markers, now_ms)
    removed = await sweep_subscriptions(connection, now_ms=now_ms, limit=limit)
    if removed < limit:
        removed += await connection.fetchval(SQL.sweep_messages, now_ms, limit - removed)
    for sql in (SQL.sweep_claims, SQL.sweep_once, SQL.sweep_records):
        if removed < limit:
            done = await connection.execute(sql, now_ms, limit - removed)
            removed += int(done.rpartition(" ")[2])
    if removed < limit:
        removed += await connection.fetchval(SQL.sweep_dropped, limit - removed)
    return Swept(removed, more=removed >= limit)


def _place(key: QueueKey) -> tuple[str, str, str]:
    return key.project, key.kind, key.name


def _conflict(key: QueueKey) -> RevisionConflict:
    return RevisionConflict(f"The metadata of queue {key.name} were changed meanwhile. Read them again.")

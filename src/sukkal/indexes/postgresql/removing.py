"""Steps that take out of one project's index what is too old, too much, or was dropped."""

from sukkal import limits
from sukkal.indexes.postgresql import projects
from sukkal.indexes.postgresql.ledger import EVENTS, RESOURCES
from sukkal.indexes.postgresql.projects import Project
from sukkal.indexes.postgresql.statements import SQL
from sukkal.postgresql import Connection, fetch_one

__all__ = ["remove_first", "sweep", "sweep_gone"]


async def sweep(connection: Connection, name: str, *, before_ms: int, bytes_max: int, limit: int) -> int:
    """Remove up to about ``limit`` entries that are no longer wanted and return how many.

    What another node writes just now is left to its next turn.
    """
    row = await connection.fetchrow(SQL.lock_to_sweep, name)
    if row is None:
        return 0
    project = Project(*row)
    number = project.number
    old, old_bytes = await fetch_one(connection, SQL.old_events, number, before_ms, limit)
    ended, ended_bytes = await fetch_one(connection, SQL.old_deleted_resources, number, before_ms, limit)
    dropped, dropped_bytes = await _sweep_dropped(connection, number, limit)
    await connection.execute(SQL.forget_dropped, number, before_ms, limits.SEARCH_DROPS_REMEMBERED_MAX)
    await connection.execute(SQL.old_types, number, before_ms)
    less = old_bytes + ended_bytes + dropped_bytes
    kept = await projects.note(connection, project, last=project.last, more=-less) if less else project.bytes
    first = await remove_first(connection, number, over=kept - bytes_max, limit=limit)
    await connection.execute(SQL.forget_empty_project, number)
    return int(old + ended + dropped + first)


async def sweep_gone(connection: Connection, *, limit: int) -> int:
    """Remove up to about ``limit`` entries of a project that was dropped."""
    number = await connection.fetchval(SQL.gone)
    if number is None:
        return 0
    removed, _ = await fetch_one(connection, SQL.of_gone, number, limit)
    if not removed:
        await connection.execute(SQL.forget_gone, number)
    return int(removed)


async def remove_first(connection: Connection, number: int, *, over: int, limit: int) -> int:
    """Remove what came first until no bytes more are kept; events first, and how things are now last."""
    count = 0
    for shelf in (EVENTS, RESOURCES):
        if over > 0:
            removed, less = await fetch_one(connection, SQL.first, number, shelf, over, limit)
            count, over = count + removed, over - less
            if less:
                await connection.execute(SQL.less_bytes, number, less)
    return count


async def _sweep_dropped(connection: Connection, number: int, limit: int) -> tuple[int, int]:
    row = await connection.fetchrow(SQL.queue_to_empty, number)
    if row is None:
        return 0, 0
    queue, kind, seq = row
    removed, less = await fetch_one(connection, SQL.of_queue, number, queue, kind, seq, limit)
    if not removed:
        await connection.execute(SQL.note_emptied, number, queue, kind)
    return removed, less

"""Control records, and what a project keeps in all."""

from sukkal import limits
from sukkal.engines.postgresql.database import Connection
from sukkal.engines.postgresql.reads import Reads
from sukkal.engines.postgresql.statements import SQL
from sukkal.model import QueueKey, Record, RecordKey, RecordPage, Usage

__all__ = ["delete_record", "get_record", "list_records", "put_record", "swap_record", "usage", "usage_of"]


async def put_record(
    connection: Connection, key: RecordKey, value: bytes, *, now_ms: int, expires_ms: int | None
) -> Record:
    """Create the record, or replace its value and expiry."""
    created_ms = await connection.fetchval(SQL.put_record, *key, now_ms, expires_ms, value)
    return Record(key=key, value=value, created_ms=created_ms, expires_ms=expires_ms)


async def swap_record(
    connection: Connection,
    key: RecordKey,
    old: bytes | None,
    new: bytes | None,
    *,
    now_ms: int,
    expires_ms: int | None,
) -> bool:
    """Replace a value by another one, either of which may be none, if the old one is still there."""
    if old is None and new is None:
        return await connection.fetchrow(SQL.record, *key, now_ms) is None
    if old is None:
        done = await connection.execute(SQL.add_record, *key, now_ms, expires_ms, new)
    elif new is None:
        done = await connection.execute(SQL.remove_record, *key, now_ms, old)
    else:
        done = await connection.execute(SQL.replace_record, *key, now_ms, old, expires_ms, new)
    return not done.endswith(" 0")


async def get_record(reads: Reads, key: RecordKey, *, now_ms: int) -> Record | None:
    """Return a live record."""
    for value, created_ms, expires_ms in await reads.fetch(SQL.record, *key, now_ms):
        return Record(key=key, value=value, created_ms=created_ms, expires_ms=expires_ms)
    return None


async def list_records(
    reads: Reads, kind: str, project: str | None, *, after: tuple[str, str], limit: int, now_ms: int
) -> RecordPage:
    """Return a page of live records by project and name."""
    sql, start = SQL.list_records, after
    if project is not None:
        sql, start = SQL.list_records_of, max(after, (project, ""))
        if start[0] != project:
            return RecordPage((), None)
    found: list[Record] = []
    scan = limits.RECORDS_SCAN_ROWS_MAX
    # One more than a page holds: the last row that was scanned stands among them even if it has expired.
    for owner, name, created_ms, expires_ms, value, nth in await reads.fetch(
        sql, now_ms, kind, *start, scan, limit + 1
    ):
        if value is not None:
            key = RecordKey(kind, owner, name)
            found.append(Record(key=key, value=value, created_ms=created_ms, expires_ms=expires_ms))
        if len(found) == limit or nth == scan:
            return RecordPage(tuple(found), (owner, name))
    return RecordPage(tuple(found), None)


async def delete_record(connection: Connection, key: RecordKey, *, now_ms: int) -> bool:
    """Delete a live record and tell whether there was one."""
    return not (await connection.execute(SQL.delete_record, *key, now_ms)).endswith(" 0")


async def usage(reads: Reads, project: str, *, now_ms: int) -> Usage:
    """Count what a project keeps, by way of its queues."""
    ((queues, subscriptions, messages, size),) = await reads.fetch(SQL.usage, project, now_ms)
    return Usage(queues=queues, messages=messages, bytes=size, subscriptions=subscriptions)


async def usage_of(reads: Reads, key: QueueKey, *, now_ms: int) -> Usage:
    """Count what one queue holds."""
    ((messages, size),) = await reads.fetch(SQL.usage_of, key.project, key.kind, key.name, now_ms)
    return Usage(messages=messages, bytes=size)

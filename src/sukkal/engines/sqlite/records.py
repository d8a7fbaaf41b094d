"""Control records, and what a project keeps in all."""

import apsw

from sukkal import limits
from sukkal.engines.sqlite.rows import count, fetch
from sukkal.engines.sqlite.statements import SQL
from sukkal.model import Record, RecordKey, RecordPage, Usage

__all__ = ["delete_record", "get_record", "is_empty", "list_records", "put_record", "swap_record", "usage", "usage_of"]


def put_record(writer: apsw.Connection, key: RecordKey, value: bytes, *, now_ms: int, expires_ms: int | None) -> Record:
    """Create the record, or replace its value and expiry."""
    ((created_ms,),) = fetch(writer, SQL.put_record, (*key, now_ms, expires_ms, value))
    return Record(key=key, value=value, created_ms=created_ms, expires_ms=expires_ms)


def swap_record(
    writer: apsw.Connection,
    key: RecordKey,
    old: bytes | None,
    new: bytes | None,
    *,
    now_ms: int,
    expires_ms: int | None,
) -> bool:
    """Replace a value by another one, either of which may be none, if the old one is still there."""
    if old is None and new is None:
        return get_record(writer, key, now_ms=now_ms) is None
    if old is None:
        writer.execute(SQL.add_record, (*key, now_ms, expires_ms, new))
    elif new is None:
        writer.execute(SQL.remove_record, (*key, now_ms, old))
    else:
        writer.execute(SQL.replace_record, (*key, now_ms, old, expires_ms, new))
    return writer.changes() > 0


def get_record(connection: apsw.Connection, key: RecordKey, *, now_ms: int) -> Record | None:
    """Return a live record."""
    for value, created_ms, expires_ms in fetch(connection, SQL.record, (*key, now_ms)):
        return Record(key=key, value=value, created_ms=created_ms, expires_ms=expires_ms)
    return None


def list_records(
    connection: apsw.Connection, kind: str, project: str | None, *, after: tuple[str, str], limit: int, now_ms: int
) -> RecordPage:
    """Return a page of live records by project and name."""
    start = after if project is None else max(after, (project, ""))
    found: list[Record] = []
    last: tuple[str, str] | None = None
    scan = limits.RECORDS_SCAN_ROWS_MAX
    for owner, name, created_ms, expires_ms, value in connection.execute(
        SQL.list_records, (now_ms, kind, *start, scan)
    ):
        if project is not None and owner != project:
            return RecordPage(tuple(found), None)
        last = (owner, name)
        scan -= 1
        if value is not None:
            key = RecordKey(kind, owner, name)
            found.append(Record(key=key, value=value, created_ms=created_ms, expires_ms=expires_ms))
            if len(found) == limit:
                return RecordPage(tuple(found), last)
    return RecordPage(tuple(found), last if scan == 0 else None)


def delete_record(writer: apsw.Connection, key: RecordKey, *, now_ms: int) -> bool:
    """Delete a live record and tell whether there was one."""
    writer.execute(SQL.delete_record, (*key, now_ms))
    return writer.changes() > 0


def usage(connection: apsw.Connection, project: str, *, now_ms: int) -> Usage:
    """Count what a project keeps, by way of its queues."""
    queues = count(connection, SQL.count_project_queues, project)
    ((messages, size),) = fetch(connection, SQL.count_project_messages, (project, now_ms))
    ((subscriptions,),) = fetch(connection, SQL.count_project_subscriptions, (project, now_ms))
    return Usage(queues=queues, messages=messages, bytes=size, subscriptions=subscriptions)


def is_empty(connection: apsw.Connection, queue: int) -> bool:
    """Tell whether a queue holds nothing, not even what waits to be swept."""
    return not count(connection, SQL.holds_messages, queue)


def usage_of(connection: apsw.Connection, queue: int, *, now_ms: int) -> Usage:
    """Count what one queue holds."""
    ((messages, size),) = fetch(connection, SQL.count_queue_messages, (queue, now_ms))
    return Usage(messages=messages, bytes=size)

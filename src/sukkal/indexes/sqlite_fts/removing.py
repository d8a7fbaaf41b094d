"""Steps that take out of one project's index what is too old, too much, or was dropped."""

from collections.abc import Iterable

import apsw

from sukkal import limits
from sukkal.indexes.sqlite_fts.statements import SQL, fetch

__all__ = ["is_empty", "remove_event", "remove_first", "remove_resource", "sweep"]

Row = tuple[int, int]
"""A number and the bytes kept under it."""


def sweep(connection: apsw.Connection, *, before_ms: int, bytes_max: int, limit: int) -> int:
    """Remove up to about ``limit`` rows that are no longer wanted and return how many."""
    removed = _remove_events(connection, connection.execute(SQL.old_events, (before_ms, limit)))
    removed += _remove_resources(connection, connection.execute(SQL.old_deleted_resources, (before_ms, limit)))
    removed += _sweep_dropped(connection, limit)
    connection.execute(SQL.forget_dropped, (before_ms, limits.SEARCH_DROPS_REMEMBERED_MAX))
    connection.execute(SQL.delete_old_types, (before_ms,))
    if connection.changes():
        connection.execute(SQL.delete_producers_of_no_type)
    return removed + remove_first(connection, bytes_max, limit=limit)


def remove_first(connection: apsw.Connection, bytes_max: int, *, limit: int) -> int:
    """Remove what came first until no more than so many bytes are kept; events first, and how things are now last."""
    removed = 0
    for first, remove in ((SQL.first_events, _remove_events), (SQL.first_resources, _remove_resources)):
        over = connection.execute(SQL.kept).get - bytes_max
        gone: list[Row] = []
        for row in connection.execute(first, (limit,)) if over > 0 else ():
            gone.append(row)
            over -= row[1]
            if over <= 0:
                break
        removed += remove(connection, gone)
    return removed


def is_empty(connection: apsw.Connection) -> bool:
    """Tell whether nothing is kept, nor anything to be remembered."""
    return bool(connection.execute(SQL.is_empty).get)


def remove_event(connection: apsw.Connection, seq: int, size: int) -> None:
    """Remove one event."""
    _remove_events(connection, [(seq, size)])


def remove_resource(connection: apsw.Connection, seq: int, size: int) -> None:
    """Remove one resource."""
    _remove_resources(connection, [(seq, size)])


def _sweep_dropped(connection: apsw.Connection, limit: int) -> int:
    for queue, kind, event_seq, resource_seq in fetch(connection, SQL.dropped):
        events = connection.execute(SQL.events_of_dropped, (queue, kind, event_seq, limit))
        resources = connection.execute(SQL.resources_of_dropped, (queue, kind, resource_seq, limit))
        removed = _remove_events(connection, events) + _remove_resources(connection, resources)
        if not removed:
            connection.execute(SQL.note_emptied, (queue, kind))
        return removed
    return 0


def _remove_events(connection: apsw.Connection, rows: Iterable[Row]) -> int:
    return _remove(connection, rows, SQL.delete_event, SQL.delete_event_words)


def _remove_resources(connection: apsw.Connection, rows: Iterable[Row]) -> int:
    return _remove(connection, rows, SQL.delete_resource, SQL.delete_resource_words)


def _remove(connection: apsw.Connection, rows: Iterable[Row], *statements: str) -> int:
    found = list(rows)
    for sql in statements:
        connection.executemany(sql, [(seq,) for seq, _ in found])
    if found:
        connection.execute(SQL.add_bytes, (-sum(size for _, size in found),))
    return len(found)

"""Steps that find what one project's index has."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import apsw

from sukkal import limits
from sukkal.indexes.sqlite_fts.expressions import expression
from sukkal.indexes.sqlite_fts.statements import SQL, fetch
from sukkal.search import Asked, Change, Facets, Hit, Hits, Shelf

__all__ = ["facets", "find"]

_STATEMENTS: Final[dict[Shelf, tuple[str, str]]] = {
    "events": (SQL.find_events, SQL.first_event),
    "resources": (SQL.find_resources, SQL.first_resource),
}
_COLUMN: Final = {"queue": 1, "resource_type": 5, "type": 8, "source": 9}


def find(
    connection: apsw.Connection, shelf: Shelf, asked: Asked, *, before: int | None, limit: int, deleted: bool
) -> Hits:
    """Return a page of matches."""
    rows = _rows(connection, shelf, asked, before=before, limit=limit, deleted=deleted)
    hits = tuple([_hit(row) for row in rows])
    return Hits(hits, hits[-1].place if len(hits) == limit else None)


def facets(connection: apsw.Connection, shelf: Shelf, asked: Asked, names: Sequence[str], *, deleted: bool) -> Facets:
    """Count the newest matches by some of their values."""
    most = limits.SEARCH_COUNTED_MAX
    rows = _rows(connection, shelf, asked, before=None, limit=most + 1, deleted=deleted)
    counts = {}
    for name in names:
        column = _COLUMN[name]
        counted = Counter(row[column] for row in rows[:most] if row[column] is not None)
        first = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
        counts[name] = tuple(first[: limits.SEARCH_FACET_VALUES_MAX])
    return Facets(counts, complete=len(rows) <= most)


def _rows(
    connection: apsw.Connection, shelf: Shelf, asked: Asked, *, before: int | None, limit: int, deleted: bool
) -> list[Any]:
    statement, first_statement = _STATEMENTS[shelf]
    first = 0
    if asked.since_ms is not None:
        # Nothing is put before it was posted but for clocks that differ, so what was put earlier is not looked at.
        found = connection.execute(first_statement, (asked.since_ms - limits.SEARCH_CLOCKS_DIFFER_MS,)).fetchone()
        if found is None:
            return []
        first = found[0]
    bindings: dict[str, Any] = {
        "match": expression(asked),
        "before": limits.INT64_MAX if before is None else before,
        "first": first,
        "since": limits.INT64_MIN if asked.since_ms is None else asked.since_ms,
        "limit": limit,
    }
    if shelf == "resources":
        bindings["deleted"] = deleted
    return fetch(connection, statement, bindings)


def _hit(row: Any) -> Hit:
    seq, queue, message_id, posted_ms, event, resource_type, resource_id, deleted, _, _ = row
    resource = None if resource_type is None else Change(resource_type, resource_id, bool(deleted))
    return Hit(
        place=seq, queue=queue, message_id=message_id, posted_ms=posted_ms, event=bytes(event), resource=resource
    )

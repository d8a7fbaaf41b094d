"""Steps that find what one project's index has."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import apsw

from sukkal import limits
from sukkal.indexes.sqlite_fts.expressions import expression
from sukkal.indexes.sqlite_fts.statements import SQL
from sukkal.search import Asked, Change, Facets, Hit, Hits, Shelf

__all__ = ["facets", "find"]

_FIRST: Final[dict[Shelf, str]] = {"events": SQL.first_event, "resources": SQL.first_resource}
_FIND: Final[dict[Shelf, str]] = {"events": SQL.find_events, "resources": SQL.find_resources}
_COUNT: Final[dict[Shelf, str]] = {"events": SQL.count_events, "resources": SQL.count_resources}
_COLUMNS: Final = ("queue", "resource_type", "type", "source")


def find(
    connection: apsw.Connection, shelf: Shelf, asked: Asked, *, before: int | None, limit: int, deleted: bool
) -> Hits:
    """Return a page of matches."""
    bindings = _bindings(connection, shelf, asked, before=before, limit=limit, deleted=deleted)
    hits = tuple([_hit(row) for row in connection.execute(_FIND[shelf], bindings)])
    return Hits(hits, hits[-1].place if len(hits) == limit else None)


def facets(connection: apsw.Connection, shelf: Shelf, asked: Asked, names: Sequence[str], *, deleted: bool) -> Facets:
    """Count the newest matches by some of their values."""
    most = limits.SEARCH_COUNTED_MAX
    bindings = _bindings(connection, shelf, asked, before=None, limit=most + 1, deleted=deleted)
    columns = [(name, _COLUMNS.index(name), Counter[str]()) for name in names]
    rows = 0
    for row in connection.execute(_COUNT[shelf], bindings):
        rows += 1
        if rows > most:
            break
        for _, column, counted in columns:
            if row[column] is not None:
                counted[row[column]] += 1
    return Facets({name: _most_first(counted) for name, _, counted in columns}, complete=rows <= most)


def _most_first(counted: Counter[str]) -> tuple[tuple[str, int], ...]:
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(ordered[: limits.SEARCH_FACET_VALUES_MAX])


def _bindings(
    connection: apsw.Connection, shelf: Shelf, asked: Asked, *, before: int | None, limit: int, deleted: bool
) -> dict[str, Any]:
    bindings: dict[str, Any] = {
        "match": expression(asked),
        "before": limits.INT64_MAX if before is None else before,
        "first": 0,
        "since": limits.INT64_MIN if asked.since_ms is None else asked.since_ms,
        "limit": limit,
    }
    if asked.since_ms is not None:
        # Nothing is put before it was posted but for clocks that differ, so what was put earlier is not looked at.
        early_ms = asked.since_ms - limits.SEARCH_CLOCKS_DIFFER_MS
        found = connection.execute(_FIRST[shelf], (early_ms,)).fetchone()
        bindings["first"] = limits.INT64_MAX if found is None else found[0]
    if shelf == "resources":
        bindings["deleted"] = deleted
    else:
        bindings["queue"] = asked.fields.get("queue")
    return bindings


def _hit(row: Any) -> Hit:
    seq, queue, message_id, posted_ms, event, resource_type, resource_id, deleted = row
    resource = None if resource_type is None else Change(resource_type, resource_id, bool(deleted))
    return Hit(
        place=seq, queue=queue, message_id=message_id, posted_ms=posted_ms, event=bytes(event), resource=resource
    )

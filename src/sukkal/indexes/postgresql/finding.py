"""Reads that find what one project's index has."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sukkal import limits
from sukkal.indexes.postgresql.ledger import EVENTS, RESOURCES
from sukkal.indexes.postgresql.questions import Question, question
from sukkal.indexes.postgresql.statements import SQL
from sukkal.indexes.postgresql.values import storable
from sukkal.postgresql import Connection
from sukkal.search import Asked, Change, Facets, Hit, Hits, Shelf

__all__ = ["facets", "find"]


async def find(
    connection: Connection,
    project: str,
    *,
    shelf: Shelf,
    asked: Asked,
    before: int | None,
    limit: int,
    deleted: bool,
) -> Hits:
    """Return a page of matches."""
    asks = question(asked)
    if asks is None:
        return Hits(())
    arguments = _arguments(project, asks, shelf, asked, before=before, deleted=deleted)
    hits = tuple([_hit(row) for row in await connection.fetch(SQL.find, *arguments, limit)])
    return Hits(hits, hits[-1].place if len(hits) == limit else None)


async def facets(
    connection: Connection,
    project: str,
    *,
    shelf: Shelf,
    asked: Asked,
    names: Sequence[str],
    deleted: bool,
) -> Facets:
    """Count the newest matches by some of their values."""
    asks = question(asked)
    if asks is None:
        return Facets(dict.fromkeys(names, ()), complete=True)
    arguments = _arguments(project, asks, shelf, asked, before=None, deleted=deleted)
    most = limits.SEARCH_COUNTED_MAX
    rows = await connection.fetch(SQL.count, *arguments, most, list(names), limits.SEARCH_FACET_VALUES_MAX)
    counts: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, value, number in rows:
        counts[name].append((value, number))
    [(_, all_of_them)] = counts.pop("")
    return Facets({name: _most_first(counts[name]) for name in names}, complete=all_of_them <= most)


def _most_first(counted: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counted, key=lambda pair: (-pair[1], pair[0])))


def _arguments(
    project: str, asks: Question, shelf: Shelf, asked: Asked, *, before: int | None, deleted: bool
) -> tuple[Any, ...]:
    since_ms, queue = asked.since_ms, asked.fields.get("queue")
    return (
        project,
        EVENTS if shelf == "events" else RESOURCES,
        asks.query,
        asks.needed,
        asks.unwanted,
        limits.INT64_MAX if before is None else before,
        limits.INT64_MIN if since_ms is None else since_ms,
        None if since_ms is None else since_ms - limits.SEARCH_CLOCKS_DIFFER_MS,
        None if queue is None else storable(queue),
        deleted,
    )


def _hit(row: Any) -> Hit:
    seq, queue, message_id, posted_ms, event, resource_type, resource_id, deleted = row
    resource = None if resource_type is None else Change(resource_type, resource_id, deleted)
    return Hit(place=seq, queue=queue, message_id=message_id, posted_ms=posted_ms, event=event, resource=resource)

"""The catalogue of one project's index: which types of events came, from whom, and what they look like."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import apsw
import msgspec

from sukkal import limits
from sukkal.indexes.sqlite_fts.statements import SQL, fetch
from sukkal.inference import NOTHING, with_all
from sukkal.search import Document, TypeSeen

__all__ = ["list_types", "note_types"]


def note_types(connection: apsw.Connection, documents: Sequence[Document]) -> None:
    """Count documents by type and producer, and let their data shape the types' schemas."""
    for type_, group in groupby(sorted(documents, key=_type), key=_type):
        _note_type(connection, type_, list(group))


def list_types(connection: apsw.Connection, *, after: str, limit: int) -> tuple[TypeSeen, ...]:
    """Return types in their order."""
    found = fetch(connection, SQL.list_types, (after, limit))
    return tuple([_seen(row, fetch(connection, SQL.producers, (row[0],))) for row in found])


def _seen(row: Any, sources: Sequence[tuple[str, int]]) -> TypeSeen:
    type_, count, first_ms, last_ms, source, id_, schema = row
    return TypeSeen(
        type=type_,
        count=count,
        first_ms=first_ms,
        last_ms=last_ms,
        sources=tuple(sources),
        sample=(source, id_),
        schema=msgspec.json.decode(schema),
    )


def _note_type(connection: apsw.Connection, type_: str, documents: Sequence[Document]) -> None:
    known = connection.execute(SQL.type, (type_,)).fetchone()
    if known is None and connection.execute(SQL.count_types).get >= limits.SEARCH_TYPES_MAX:
        return
    count, first_ms, text = known or (0, documents[0].posted_ms, None)
    schema = msgspec.json.decode(text) if text else NOTHING
    schema = with_all(schema, [document.data for document in documents], before=count)
    encoded = msgspec.json.encode(schema)
    last = documents[-1]
    if len(encoded) > limits.SEARCH_SCHEMA_BYTES_MAX:
        encoded = text or msgspec.json.encode(NOTHING)
    seen = (type_, count + len(documents), first_ms, last.posted_ms, last.source, last.id, encoded)
    connection.execute(SQL.put_type, seen)
    for source, group in groupby(sorted(documents, key=_source), key=_source):
        number = len(list(group))
        connection.execute(SQL.count_known_producer, (type_, source, number))
        if not connection.changes():
            connection.execute(SQL.put_new_producer, (type_, source, number, limits.SEARCH_PRODUCERS_MAX))


def _type(document: Document) -> str:
    return document.type


def _source(document: Document) -> str:
    return document.source

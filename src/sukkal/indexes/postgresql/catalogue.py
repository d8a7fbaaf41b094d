"""The catalogue of one project's index: which types of events came, from whom, and what they look like."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec

from sukkal import limits
from sukkal.indexes.postgresql.statements import SQL
from sukkal.indexes.postgresql.values import storable
from sukkal.inference import NOTHING, with_all
from sukkal.postgresql import Connection, fetch_one
from sukkal.search import Document, TypeSeen

__all__ = ["list_types", "note_types"]

Row = tuple[Any, ...]


async def note_types(connection: Connection, number: int, documents: Sequence[Document]) -> None:
    """Count documents by type and producer, and let their data shape the types' schemas."""
    if not documents:
        return
    groups = {type_: list(group) for type_, group in groupby(sorted(documents, key=_type), key=_type)}
    known = {row[0]: row for row in await connection.fetch(SQL.types, number, list(groups))}
    (there,) = await fetch_one(connection, SQL.count_types, number)
    room = limits.SEARCH_TYPES_MAX - there
    noted = [type_ for type_ in groups if type_ in known]
    noted += [type_ for type_ in groups if type_ not in known][: max(room, 0)]
    if noted:
        rows = [_row(type_, groups[type_], known.get(type_)) for type_ in noted]
        await connection.execute(SQL.put_types, number, *zip(*rows, strict=True))
        await _note_producers(connection, number, [document for type_ in noted for document in groups[type_]])


async def list_types(connection: Connection, project: str, *, after: str, limit: int) -> tuple[TypeSeen, ...]:
    """Return types in their order."""
    return tuple([_seen(row) for row in await connection.fetch(SQL.list_types, project, storable(after), limit)])


def _seen(row: Any) -> TypeSeen:
    type_, count, first_ms, last_ms, source, id_, schema, sources, counts = row
    return TypeSeen(
        type=type_,
        count=count,
        first_ms=first_ms,
        last_ms=last_ms,
        sources=tuple(zip(sources or (), counts or (), strict=True)),
        sample=(source, id_),
        schema=msgspec.json.decode(schema),
    )


def _row(type_: str, documents: Sequence[Document], known: Any) -> Row:
    _, count, first_ms, text = known or (type_, 0, documents[0].posted_ms, None)
    schema = msgspec.json.decode(text) if text else NOTHING
    schema = with_all(schema, [document.data for document in documents], before=count)
    encoded = msgspec.json.encode(schema)
    last = documents[-1]
    if len(encoded) > limits.SEARCH_SCHEMA_BYTES_MAX:
        encoded = text or msgspec.json.encode(NOTHING)
    return (type_, count + len(documents), first_ms, last.posted_ms, storable(last.source), storable(last.id), encoded)


async def _note_producers(connection: Connection, number: int, documents: Sequence[Document]) -> None:
    counts = Counter((_type(document), storable(document.source)) for document in documents)
    rows = [(type_, source, count) for (type_, source), count in counts.items()]
    found = await connection.fetch(SQL.count_known_producers, number, *zip(*rows, strict=True))
    known = {(type_, source) for type_, source in found}
    new = [(number, *row, limits.SEARCH_PRODUCERS_MAX) for row in rows if row[:2] not in known]
    if new:
        await connection.executemany(SQL.put_new_producer, new)


def _type(document: Document) -> str:
    return storable(document.type)

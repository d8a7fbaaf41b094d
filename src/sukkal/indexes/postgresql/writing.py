"""Steps that put documents into one project's index. Each is a part of one transaction."""

from collections.abc import Mapping, Sequence

from sukkal import limits
from sukkal.indexes.postgresql import projects
from sukkal.indexes.postgresql.catalogue import note_types
from sukkal.indexes.postgresql.ledger import Entry, Ledger, identities
from sukkal.indexes.postgresql.questions import Findable
from sukkal.indexes.postgresql.removing import remove_first
from sukkal.indexes.postgresql.statements import SQL
from sukkal.indexes.postgresql.values import storable
from sukkal.model import QueueKey
from sukkal.postgresql import Connection
from sukkal.search import Document

__all__ = ["drop_queue", "put"]


async def put(
    connection: Connection,
    name: str,
    documents: Sequence[tuple[Document, Findable]],
    *,
    now_ms: int,
    bytes_max: int,
) -> int:
    """Keep documents and return how many were new."""
    project = await projects.lock(connection, name)
    present = await _present(connection, project.number, [document for document, _ in documents])
    known = await connection.fetch(SQL.known, identities(project.number, present))
    ledger = Ledger(project.number, [Entry(*row) for row in known], last=project.last)
    count = ledger.put(present)
    if ledger.removed:
        gone = ([entry.shelf for entry in ledger.removed], [entry.seq for entry in ledger.removed])
        await connection.execute(SQL.remove, project.number, *gone)
    if ledger.added:
        finds = {id(document): found for document, found in documents}
        await connection.execute(SQL.add, project.number, now_ms, *_columns(ledger.added, finds))
    await note_types(connection, project.number, ledger.new)
    kept = await projects.note(connection, project, last=ledger.last, more=ledger.bytes_more)
    await remove_first(connection, project.number, over=kept - bytes_max, limit=count + limits.SEARCH_REMOVED_AT_ONCE)
    return len(ledger.new)


async def drop_queue(connection: Connection, key: QueueKey, *, now_ms: int) -> None:
    """Let nothing be found any more that was posted to a queue before now."""
    project = await projects.lock(connection, key.project)
    await connection.execute(SQL.drop_queue, project.number, key.name, key.kind, now_ms, project.last)


async def _present(connection: Connection, number: int, documents: Sequence[Document]) -> Sequence[Document]:
    """Return those that were not still on their way when what their queue had was dropped."""
    queues = {(document.queue.name, document.queue.kind) for document in documents}
    names, kinds = [name for name, _ in queues], [kind for _, kind in queues]
    rows = await connection.fetch(SQL.queues_dropped, number, names, kinds)
    dropped = {(queue, kind): dropped_ms for queue, kind, dropped_ms in rows}
    return [
        document
        for document in documents
        if document.posted_ms >= dropped.get((document.queue.name, document.queue.kind), limits.INT64_MIN)
    ]


def _columns(entries: Sequence[Entry], finds: Mapping[int, Findable]) -> Sequence[Sequence[object]]:
    rows = []
    for entry in entries:
        document = entry.document
        assert document is not None  # noqa: S101 - narrows the type, cannot fail
        resource, found = document.resource, finds[id(document)]
        rows.append(
            (
                entry.shelf,
                entry.seq,
                entry.identity,
                storable(document.type),
                storable(document.source),
                entry.queue,
                entry.kind,
                document.message_id,
                document.time_ms,
                document.posted_ms,
                storable(resource.type) if resource else None,
                storable(resource.id) if resource else None,
                entry.deleted,
                found.tokens,
                found.text,
                document.event,
            )
        )
    return list(zip(*rows, strict=True))

"""Steps that put documents into one project's index."""

import hashlib
from collections.abc import Sequence

import apsw

from sukkal import limits
from sukkal.indexes.sqlite_fts.catalogue import note_types
from sukkal.indexes.sqlite_fts.removing import remove_event, remove_first, remove_resource
from sukkal.indexes.sqlite_fts.statements import SQL, fetch
from sukkal.indexes.tags import tags
from sukkal.search import Change, Document

__all__ = ["drop_queue", "put"]


def put(connection: apsw.Connection, documents: Sequence[Document], *, now_ms: int, bytes_max: int) -> int:
    """Keep documents and return how many were new."""
    kept, new = [], []
    for document in documents:
        if _is_past(connection, document):
            continue
        here, elsewhere = _known(connection, document)
        if not here:
            _put_event(connection, document, now_ms)
            kept.append(document)
        if not (here or elsewhere):
            new.append(document)
    for document in kept:
        if document.resource is not None and not document.resource.partial:
            _put_resource(connection, document, document.resource, now_ms)
    note_types(connection, new)
    remove_first(connection, bytes_max, limit=len(kept) + limits.SEARCH_REMOVED_AT_ONCE)
    return len(new)


def drop_queue(connection: apsw.Connection, name: str, kind: str, now_ms: int) -> None:
    """Let nothing be found any more that was posted to a queue before now."""
    connection.execute(SQL.drop_queue, (name, kind, now_ms))


def _is_past(connection: apsw.Connection, document: Document) -> bool:
    """Tell whether a document was still on its way when what its queue had was dropped."""
    dropped_ms = connection.execute(SQL.dropped_ms, (document.queue.name, document.queue.kind)).get
    return dropped_ms is not None and document.posted_ms < dropped_ms


def _known(connection: apsw.Connection, document: Document) -> tuple[bool, bool]:
    """Return whether an event is kept for its queue, and whether for another one; one that was dropped makes room."""
    here = elsewhere = False
    identity = _identity(document.source, document.id)
    for seq, size, same, dropped in fetch(connection, SQL.event, (identity, document.queue.name, document.queue.kind)):
        if same and dropped:
            remove_event(connection, seq, size)
        elif not dropped:
            here, elsewhere = here or bool(same), elsewhere or not same
    return here, elsewhere


def _put_event(connection: apsw.Connection, document: Document, now_ms: int) -> None:
    resource = document.resource
    connection.execute(
        SQL.put_event,
        (
            _identity(document.source, document.id),
            document.type,
            document.source,
            document.queue.name,
            document.queue.kind,
            document.message_id,
            document.posted_ms,
            now_ms,
            resource.type if resource else None,
            resource.id if resource else None,
            resource.deleted if resource else False,
            len(document.event),
            document.event,
        ),
    )
    connection.execute(SQL.put_event_words, (connection.last_insert_rowid(), " ".join(tags(document)), document.text))
    connection.execute(SQL.add_bytes, (len(document.event),))


def _put_resource(connection: apsw.Connection, document: Document, resource: Change, now_ms: int) -> None:
    identity = _identity(resource.type, resource.id)
    known = fetch(connection, SQL.resource, (identity, document.queue.name, document.queue.kind))
    for _, _, time_ms, deleted, same, dropped in known:
        # What is older than the end of a resource would come back when the mark of it has gone.
        if not dropped and time_ms > document.time_ms and (same or deleted):
            return
    for seq, size, time_ms, _, same, _ in known:
        if same or (resource.deleted and time_ms <= document.time_ms):
            remove_resource(connection, seq, size)
    connection.execute(
        SQL.put_resource,
        (
            identity,
            document.type,
            document.source,
            document.queue.name,
            document.queue.kind,
            document.message_id,
            document.time_ms,
            document.posted_ms,
            now_ms,
            resource.type,
            resource.id,
            resource.deleted,
            len(document.event),
            document.event,
        ),
    )
    connection.execute(
        SQL.put_resource_words, (connection.last_insert_rowid(), " ".join(tags(document)), document.text)
    )
    connection.execute(SQL.add_bytes, (len(document.event),))


def _identity(*parts: str) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        text = part.encode()
        digest.update(b"%d " % len(text) + text)
    return digest.digest()

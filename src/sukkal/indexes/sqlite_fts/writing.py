"""Steps that put documents into one project's index."""

import hashlib
from collections.abc import Sequence

import apsw

from sukkal import limits
from sukkal.indexes.sqlite_fts.catalogue import note_types
from sukkal.indexes.sqlite_fts.expressions import tags
from sukkal.indexes.sqlite_fts.removing import remove_first, remove_resource
from sukkal.indexes.sqlite_fts.statements import SQL, fetch
from sukkal.search import Document

__all__ = ["drop_queue", "put"]


def put(connection: apsw.Connection, documents: Sequence[Document], *, now_ms: int, bytes_max: int) -> int:
    """Keep documents and return how many were new."""
    new = [document for document in documents if _put_event(connection, document, now_ms)]
    for document in new:
        if document.resource is not None and not document.resource.partial:
            _put_resource(connection, document, now_ms)
    note_types(connection, new)
    added = sum(len(document.event) for document in new)
    connection.execute(SQL.add_bytes, (added,))
    remove_first(connection, bytes_max, limit=len(new) + limits.SEARCH_REMOVED_AT_ONCE)
    return len(new)


def drop_queue(connection: apsw.Connection, name: str, kind: str) -> None:
    """Let nothing be found any more that came from a queue so far."""
    connection.execute(SQL.drop_queue, (name, kind))


def _put_event(connection: apsw.Connection, document: Document, now_ms: int) -> bool:
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
    if not connection.changes():
        return False
    connection.execute(SQL.put_event_words, (connection.last_insert_rowid(), tags(document), document.text))
    return True


def _put_resource(connection: apsw.Connection, document: Document, now_ms: int) -> None:
    resource = document.resource
    assert resource is not None  # noqa: S101 - the caller has looked
    identity = _identity(resource.type, resource.id)
    for seq, time_ms, size in fetch(connection, SQL.resource, (identity,)):
        if time_ms > document.time_ms:
            return
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
    connection.execute(SQL.put_resource_words, (connection.last_insert_rowid(), tags(document), document.text))
    connection.execute(SQL.add_bytes, (len(document.event),))


def _identity(*parts: str) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        text = part.encode()
        digest.update(b"%d " % len(text) + text)
    return digest.digest()

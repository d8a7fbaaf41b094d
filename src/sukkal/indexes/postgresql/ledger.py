"""What a put does, told from what is kept already: what has to go and what comes, before anything is written."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from sukkal.model import QueueKey
from sukkal.search import Change, Document

__all__ = ["EVENTS", "RESOURCES", "Entry", "Ledger", "identities"]

EVENTS: Final = 0
RESOURCES: Final = 1
ShelfNumber = Literal[0, 1]


class Entry(msgspec.Struct, frozen=True):
    """What is kept of an event or a resource for one queue; ``document`` is there if it comes only now."""

    shelf: int
    identity: bytes
    seq: int
    size: int
    queue: str
    kind: str
    time_ms: int
    deleted: bool
    dropped: bool = False
    document: Document | None = None

    def is_of(self, key: QueueKey) -> bool:
        """Tell whether it is kept for a queue."""
        return (self.queue, self.kind) == (key.name, key.kind)


class Ledger:
    """Takes documents of a project one after another; ``last`` is the last number that was given in it."""

    def __init__(self, project: int, known: Iterable[Entry], *, last: int) -> None:
        self.last = last
        self._project = project
        self.removed: list[Entry] = []
        self.new: list[Document] = []
        self._added: dict[int, Entry] = {}
        self._entries: defaultdict[bytes, list[Entry]] = defaultdict(list)
        for entry in known:
            self._entries[entry.identity].append(entry)

    @property
    def added(self) -> Sequence[Entry]:
        """What comes."""
        return list(self._added.values())

    @property
    def bytes_more(self) -> int:
        """How many bytes more are kept."""
        return sum(entry.size for entry in self._added.values()) - sum(entry.size for entry in self.removed)

    def put(self, documents: Sequence[Document]) -> int:
        """Take documents with the resources that they tell of, and return how many events were kept."""
        kept = [document for document in documents if self._put_event(document)]
        for document in kept:
            if document.resource is not None and not document.resource.partial:
                self._put_resource(document, document.resource)
        return len(kept)

    def _put_event(self, document: Document) -> bool:
        identity = _event(self._project, document)
        here = elsewhere = False
        for entry in tuple(self._entries[identity]):
            same = entry.is_of(document.queue)
            if same and entry.dropped:
                self._remove(entry)  # It makes room.
            elif not entry.dropped:
                here, elsewhere = here or same, elsewhere or not same
        if not (here or elsewhere):
            self.new.append(document)
        if not here:
            self._add(EVENTS, identity, document)
        return not here

    def _put_resource(self, document: Document, resource: Change) -> None:
        identity = _resource(self._project, resource)
        known = tuple(self._entries[identity])
        for entry in known:
            # What is older than the end of a resource would come back when the mark of it has gone.
            told = entry.is_of(document.queue) or entry.deleted
            if told and not entry.dropped and entry.time_ms > document.time_ms:
                return
        for entry in known:
            if entry.is_of(document.queue) or (resource.deleted and entry.time_ms <= document.time_ms):
                self._remove(entry)
        self._add(RESOURCES, identity, document)

    def _add(self, shelf: ShelfNumber, identity: bytes, document: Document) -> None:
        self.last += 1
        entry = Entry(
            shelf=shelf,
            identity=identity,
            seq=self.last,
            size=len(document.event),
            queue=document.queue.name,
            kind=document.queue.kind,
            time_ms=document.time_ms,
            deleted=document.resource is not None and document.resource.deleted,
            document=document,
        )
        self._entries[identity].append(entry)
        self._added[entry.seq] = entry

    def _remove(self, entry: Entry) -> None:
        self._entries[entry.identity].remove(entry)
        if self._added.pop(entry.seq, None) is None:
            self.removed.append(entry)


def identities(project: int, documents: Iterable[Document]) -> set[bytes]:
    """Return what the events and the resources of documents are told by."""
    found = set()
    for document in documents:
        found.add(_event(project, document))
        if document.resource is not None:
            found.add(_resource(project, document.resource))
    return found


def _event(project: int, document: Document) -> bytes:
    return _identity(project, EVENTS, document.source, document.id)


def _resource(project: int, resource: Change) -> bytes:
    return _identity(project, RESOURCES, resource.type, resource.id)


def _identity(project: int, shelf: ShelfNumber, *parts: str) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        text = part.encode()
        digest.update(b"%d " % len(text) + text)
    return project.to_bytes(8, "big") + shelf.to_bytes(1, "big") + digest.digest()

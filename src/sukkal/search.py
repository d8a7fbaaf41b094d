"""The contract of search: what an index keeps of the events of projects, and finds again.

An index is a copy for finding things: what it keeps has been kept by the store before, and it may be thrown away and
made anew from what comes. Laws, tested by ``sukkal.testing.contract_search`` on every index:

* **Repeatable.** A document is told by its project, source and id; putting it again changes nothing. One that came to
  several queues is one, and there for as long as it is in one of them that was not dropped.
* **Durable on return.** What a ``put`` took is still found after a crash that follows its return.
* **Apart.** Nothing of one project is ever found, counted or slowed by another.
* **Latest.** A resource is as the event with the latest time tells of the whole of it, in whatever order they came; if
  the queue of that one is dropped, as the latest of the other queues tells.
  What was deleted is remembered, so that an older event does not bring it back.
* **Newest first.** Documents are found in the reverse order of their coming, resources in that of their changing. A
  page goes on behind a place; what comes meanwhile lies in front of it.
* **Alike.** ``matches`` tells of documents what ``events`` would find of them.
* **Bounded.** An answer costs its limit and what matches, never all that is kept; of each project about ``bytes_max``
  are kept, and the oldest events go first.
* **Ours.** A call raises only ``Unavailable``, and a search that takes too long ``InvalidRequest``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol

import msgspec

from sukkal.model import QueueKey

__all__ = [
    "FACETS",
    "FIELDS",
    "Asked",
    "Change",
    "Document",
    "Facets",
    "Hit",
    "Hits",
    "SearchIndex",
    "Shelf",
    "Term",
    "TypeSeen",
]

Shelf = Literal["events", "resources"]
"""What is searched: everything that happened, or how things are now."""

FIELDS: Final = ("type", "source", "id", "subject", "queue", "resource_type", "resource_id")
"""What can be asked for exactly. A ``type`` that ends with ``.*`` stands for all that begin with what is before."""

FACETS: Final = ("type", "source", "queue", "resource_type")
"""What matches can be counted by."""


class Change(msgspec.Struct, frozen=True, gc=False):
    """Which resource an event tells of, and whether that is its end; of a part of it if it is ``partial``."""

    type: str
    id: str
    deleted: bool = False
    partial: bool = False


class Document(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event as it is kept.

    ``event`` is its JSON text, ``text`` are the words by which it is found, ``data`` is what its schema is inferred
    from. ``time_ms`` is when it happened, ``posted_ms`` when the message ``message_id`` was posted to ``queue``.
    """

    source: str
    id: str
    type: str
    subject: str | None
    time_ms: int
    posted_ms: int
    queue: QueueKey
    message_id: str
    event: bytes
    text: str
    data: Any = None
    resource: Change | None = None


class Term(msgspec.Struct, frozen=True, gc=False):
    """One word, or several that stand side by side; with ``prefix`` the last one may go on. Has a letter or digit."""

    text: str
    prefix: bool = False
    negative: bool = False


class Asked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is looked for: all terms but the negative ones, all fields, posted at ``since_ms`` or later."""

    terms: tuple[Term, ...] = ()
    fields: Mapping[str, str] = {}
    since_ms: int | None = None


class Hit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was found: an event, or the last one of a resource, at a place."""

    place: int
    queue: str
    message_id: str
    posted_ms: int
    event: bytes
    resource: Change | None = None


class Hits(msgspec.Struct, frozen=True):
    """A page. ``next`` is the place behind which it goes on, ``None`` at the end."""

    hits: tuple[Hit, ...]
    next: int | None = None


class Facets(msgspec.Struct, frozen=True):
    """How many matches have which values, most first; not ``complete`` if only the newest ones were counted."""

    counts: Mapping[str, tuple[tuple[str, int], ...]]
    complete: bool


class TypeSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A type of events: how many came, from whom, one of them (its source and id), and what their data look like."""

    type: str
    count: int
    first_ms: int
    last_ms: int
    sources: tuple[tuple[str, int], ...]
    sample: tuple[str, str]
    schema: Mapping[str, Any]


class SearchIndex(Protocol):
    """Keeps documents by project."""

    async def put(self, project: str, documents: Sequence[Document], *, now_ms: int) -> int:
        """Keep documents, all or none, with the resources that they tell of; return how many were new."""

    async def find(
        self, shelf: Shelf, project: str, asked: Asked, *, before: int | None, limit: int, deleted: bool = False
    ) -> Hits:
        """Return up to ``limit`` matches behind a place. With ``deleted``, resources that are gone are found too."""

    async def facets(
        self, shelf: Shelf, project: str, asked: Asked, names: Sequence[str], *, deleted: bool = False
    ) -> Facets:
        """Count the matches by the values of some of ``FACETS``."""

    async def types(self, project: str, *, after: str, limit: int) -> tuple[TypeSeen, ...]:
        """Return up to ``limit`` types greater than ``after``, ascending."""

    async def matches(self, documents: Sequence[Document], asked: Sequence[Asked]) -> list[list[int] | None]:
        """Return, for each question, which of the documents it finds, by their numbers from 0. Nothing is kept.

        For a question that takes too long there is ``None``; the others are answered all the same.
        """

    async def drop_queue(self, key: QueueKey, *, now_ms: int) -> None:
        """Let nothing be found any more that was posted to a queue before now, also if it is put later."""

    async def drop_project(self, project: str) -> None:
        """Forget all of a project."""

    async def sweep(self, *, before_ms: int, limit: int) -> int:
        """Remove up to about ``limit`` events put before a time, deleted resources and dropped ones; return how many.

        A resource that is there stays, however long it has not changed. Types that did not come since go as well.
        """

    async def close(self) -> None:
        """Finish what was begun and let go of everything."""

"""What the service tells of, as a program sees it. All times are in seconds."""

from typing import Any

import msgspec

__all__ = [
    "Claim",
    "Counts",
    "EventType",
    "Found",
    "Listener",
    "Message",
    "Posted",
    "QueueEntry",
    "Reply",
    "SavedSearch",
    "SignedUrl",
    "Subscription",
    "Usage",
]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a queue. ``claim_count`` is how often it was claimed, ``dead_letter`` where it comes from."""

    id: str
    body: Any
    ttl: int
    age: int
    claim_count: int = 0
    dead_letter: Any = None
    reply_to: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a post. ``repeated`` if it had been stored before.

    ``listeners`` is how many heard it, of a queue that stores nothing.
    """

    ids: tuple[str, ...]
    repeated: bool = False
    listeners: int | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a call was answered with, and the id of the message that was its question."""

    id: str
    body: Any


class QueueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A queue in a listing. ``metadata`` is there if it was asked for."""

    name: str
    metadata: dict[str, Any] | None = None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages a queue has. The delayed ones are among the free ones."""

    claimed: int
    free: int
    total: int
    delayed: int = 0


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A live claim."""

    id: str
    age: int
    ttl: int


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A standing order to deliver what is posted."""

    id: str
    subscriber: str
    ttl: int
    age: int
    options: dict[str, Any] = {}
    confirmed: bool = True


class SignedUrl(msgspec.Struct, frozen=True, kw_only=True):
    """Rights to a queue that whoever has ``query`` has. It and ``signature`` are told only when it is made."""

    id: str
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    expires: str
    project: str = ""
    signature: str = ""
    query: str = ""
    post_url: str | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a search found, and the resource that it tells of."""

    event: Any
    queue: str
    message_id: str
    posted: str
    resource: Any = None


class EventType(msgspec.Struct, frozen=True, kw_only=True):
    """A type of the events that were posted."""

    type: str
    count: int
    first_posted: str
    last_posted: str
    producers: tuple[Any, ...] = ()
    sample: Any = None
    schema: Any = None


class SavedSearch(msgspec.Struct, frozen=True, kw_only=True):
    """A search that posts what it finds to ``queue``."""

    name: str
    queue: str
    q: str | None = None
    type: str | None = None
    source: str | None = None
    id: str | None = None
    subject: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A URL that is called when something happens to a resource."""

    id: str
    url: str


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a project keeps, and may keep: ``None`` is as much as it likes."""

    usage: dict[str, int]
    limits: dict[str, int | None]

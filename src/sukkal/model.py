"""The nouns: queues, messages, claims, records. Values only; what may be done with them is in ``service``.

Times are integer milliseconds since the Unix epoch (``*_ms``); lengths of time given by callers are whole seconds
(``*_s``), as on the wire.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, NamedTuple

import msgspec

__all__ = [
    "Ack",
    "Bury",
    "Claim",
    "Deleted",
    "HeldClaim",
    "Idle",
    "Message",
    "NewClaim",
    "NewMessage",
    "Once",
    "Page",
    "Position",
    "Post",
    "Published",
    "Queue",
    "QueueKey",
    "QueueKind",
    "QueueList",
    "Record",
    "RecordKey",
    "RecordPage",
    "Release",
    "Settled",
    "Settlement",
    "Stats",
    "Subscription",
    "Swept",
    "Usage",
    "View",
]

QueueKind = Literal["queue", "topic", "backlog", "history", "index"]


class QueueKey(NamedTuple):
    """What names a queue: its project, its name, and which of the project's name spaces it lives in."""

    project: str
    name: str
    kind: QueueKind = "queue"


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A named backlog with a policy.

    ``metadata`` is what the tenant stored, reserved ``_`` attributes included, without defaults. ``revision`` grows
    with every change of the metadata and lets a writer notice that somebody else was faster.
    """

    key: QueueKey
    metadata: Mapping[str, Any]
    revision: int
    created_ms: int
    subscriptions: int = 0


class Idle(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as it was when somebody found that nobody uses it.

    It had that ``revision``, and nothing of it a number greater than ``last`` (see ``Page``).
    """

    revision: int
    last: int


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A standing order: what is posted to the queue is copied into the subscription's backlog, for one subscriber.

    ``options`` are the subscriber's and ours, without meaning for an engine. It exists while ``now_ms < expires_ms``.
    ``revision`` is as that of a queue.
    """

    id: str
    queue: QueueKey
    subscriber: str
    ttl_s: int
    options: Mapping[str, Any]
    confirmed: bool
    created_ms: int
    expires_ms: int
    revision: int = 1

    @property
    def backlog(self) -> QueueKey:
        """The queue in which deliveries wait, which no tenant sees."""
        return QueueKey(self.queue.project, self.id, "backlog")


class QueueList(msgspec.Struct, frozen=True):
    """A page of queues in the order of their names; ``total`` only when it was asked for."""

    queues: tuple[Queue, ...]
    total: int | None = None


class Position(NamedTuple):
    """A place in a view of a queue: everything up to and including it has been seen.

    ``at_ms`` orders the free view (the moment from which a message can be claimed); ``sequence`` orders the others
    and breaks ties. The two together are unique within a queue.
    """

    at_ms: int
    sequence: int


class NewMessage(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A message on its way into a queue.

    ``body`` is the JSON text exactly as the producer sent it. ``client`` is the producer's client id, so that it can
    be spared its own messages. ``attributes`` is a JSON object of ours (where a dead letter came from), or ``None``.
    A message with a ``key`` takes the place of those of its queue that have the same one and that nobody has claimed.
    """

    id: str
    body: bytes
    ttl_s: int
    delay_s: int = 0
    client: str = ""
    attributes: bytes | None = None
    key: bytes | None = None


class Message(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One message's place in one queue.

    It exists while ``now_ms < expires_ms``. It is *claimed* while ``claim_id`` is set and ``now_ms < visible_ms``,
    *delayed* while ``claim_id`` is ``None`` and ``now_ms < visible_ms``, else *free*. An engine never returns the id
    of a claim that has ended. ``attempts`` counts the claims it has been in.
    """

    id: str
    body: bytes
    ttl_s: int
    created_ms: int
    expires_ms: int
    visible_ms: int
    sequence: int
    attempts: int = 0
    claim_id: str | None = None
    client: str = ""
    attributes: bytes | None = None


class Post(msgspec.Struct, frozen=True, gc=False):
    """Messages for one queue."""

    queue: QueueKey
    messages: tuple[NewMessage, ...]


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """The name of one act of publishing, so that repeating it changes nothing.

    ``fingerprint`` tells a repetition from another request under the same ``key``; both are forgotten at
    ``expires_ms``.
    """

    key: str
    fingerprint: bytes
    expires_ms: int


class Published(msgspec.Struct, frozen=True, gc=False):
    """The ids of a post, one tuple for each queue.

    It is ``repeated`` if an earlier post had stored them; then ``ids`` has those of the first queue only. Of what was
    stored now, ``epochs`` has that of each queue (see ``Page``) and ``sequences`` that of each message, 0 for one that
    the queue held already.
    """

    ids: tuple[tuple[str, ...], ...]
    repeated: bool = False
    epochs: tuple[int, ...] = ()
    sequences: tuple[tuple[int, ...], ...] = ()


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages a reader wants to see.

    Without claimed and delayed ones it is the *free* view: what a claim would find now, in the order in which it
    would find it. Otherwise the order is that of posting. ``not_from`` leaves out one client's own messages.
    """

    claimed: bool = False
    delayed: bool = False
    not_from: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Part of a view. ``next`` is ``None`` only when the view holds nothing after the position asked for.

    What is scanned for one page is bounded, so a page may be short, even empty, and still have a ``next``.

    Of a view with claimed and delayed messages, ``epoch`` names the queue's contents: another queue of the same name,
    or the same queue after it was cleared, has another one; 0 is no queue. What is posted from now on has a sequence
    greater than ``last``. It is ``complete`` unless something that had been posted after the position is gone;
    while very much waits to be swept it may seem so. No contents of the queue were given up at a sequence greater than
    ``dropped``, by clearing or deleting it; that may be more than the last time that they were.
    """

    messages: tuple[Message, ...]
    next: Position | None
    epoch: int = 0
    last: int = 0
    complete: bool = True
    dropped: int = 0


class NewClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A lease to be taken. A message that would expire before it is kept for ``grace_s`` beyond its end."""

    id: str
    ttl_s: int
    grace_s: int


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A lease over messages of one queue. It lives while ``now_ms < expires_ms`` and nobody has ended it."""

    id: str
    ttl_s: int
    grace_s: int
    created_ms: int
    expires_ms: int


class HeldClaim(msgspec.Struct, frozen=True):
    """A live claim and the messages that it holds."""

    claim: Claim
    messages: tuple[Message, ...]


class Ack(msgspec.Struct, frozen=True):
    """The message is done with: delete it."""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """Give the message back.

    Without a delay it returns to its old place in the order. ``revive`` also brings back a message that had been set
    aside because it was claimed too often.
    """

    delay_s: int = 0
    revive: bool = False
    attributes: bytes | None = None


class Bury(msgspec.Struct, frozen=True, kw_only=True):
    """Set the message aside for good: nobody finds it but who looks for such ones. New ``attributes`` may say why."""

    attributes: bytes | None = None


Settlement = Ack | Release | Bury


class Settled(Enum):
    """What became of one message of a settlement."""

    DONE = "done"
    NOT_CLAIMED = "not_claimed"
    OTHER_CLAIM = "other_claim"
    MISSING = "missing"


class Deleted(Enum):
    """What became of one message of a deletion."""

    DONE = "done"
    CLAIMED = "claimed"
    MISSING = "missing"


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of a queue's live messages: ``total = claimed + delayed + free``; the ends of the posting order."""

    claimed: int = 0
    delayed: int = 0
    free: int = 0
    oldest: Message | None = None
    newest: Message | None = None

    @property
    def total(self) -> int:
        """All messages that have not expired."""
        return self.claimed + self.delayed + self.free


class Swept(msgspec.Struct, frozen=True):
    """What one slice of sweeping removed, and whether more waits."""

    removed: int
    more: bool


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """How much a project keeps: queues and topics, live messages, the bytes of their bodies, subscriptions.

    What the histories of queues keep is among the messages.
    """

    queues: int = 0
    messages: int = 0
    bytes: int = 0
    subscriptions: int = 0


class RecordKey(NamedTuple):
    """What names a control record: its kind, its project, and its name, which is never empty."""

    kind: str
    project: str
    name: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A small document kept by kind, project and name.

    ``value`` is a JSON document of ours. It exists while ``now_ms < expires_ms``, for good if that is ``None``.
    """

    key: RecordKey
    value: bytes
    created_ms: int
    expires_ms: int | None = None


class RecordPage(msgspec.Struct, frozen=True):
    """Part of a listing of records. ``next`` is where it goes on, ``None`` once its end has been seen.

    What is scanned for one page is bounded, so a page may be short, even empty, and still have a ``next``.
    """

    records: tuple[Record, ...]
    next: tuple[str, str] | None

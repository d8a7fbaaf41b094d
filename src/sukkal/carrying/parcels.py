"""What a whole store is cut into."""

from typing import TypeAlias

import msgspec

from sukkal.model import QueueKey, Record
from sukkal.moving import Details, Frame, Stored

__all__ = ["Beginning", "Ending", "Holding", "Keeping", "Parcel", "Particulars", "Tally", "place_of"]


class Tally(msgspec.Struct, frozen=True):
    """What there is in a queue: how many messages, and a digest of all that it has."""

    messages: int
    digest: bytes


class Beginning(msgspec.Struct, frozen=True, tag="store", kw_only=True):
    """The first of all: as of when the store is, and the greatest number that it has given."""

    as_of_ms: int
    last: int


class Holding(msgspec.Struct, frozen=True, tag="messages"):
    """Some messages of a queue, in their order."""

    frame: Frame
    stored: tuple[Stored, ...]


class Particulars(msgspec.Struct, frozen=True, tag="details"):
    """Some claims, acts and subscriptions of a queue."""

    frame: Frame
    details: Details


class Ending(msgspec.Struct, frozen=True, tag="queue"):
    """The last one of a queue: it is whole now."""

    frame: Frame
    tally: Tally


class Keeping(msgspec.Struct, frozen=True, tag="records"):
    """Some control records. They come behind all queues."""

    records: tuple[Record, ...]


Parcel: TypeAlias = Beginning | Holding | Particulars | Ending | Keeping


def place_of(key: QueueKey) -> tuple[str, str, str]:
    """Return what orders queues on their way."""
    return key.project, key.kind, key.name

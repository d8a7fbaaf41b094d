"""The contract of formats: an adapter between a native shape of notifications and the event, a CloudEvent 1.0.

A format does no I/O and knows no time but what it is told. Laws, tested by ``sukkal.testing.format_contract``:

* **Loss-free.** ``to_native(to_event(document, received))`` is the document, for every document that the format
  recognises: the same members with the same values, numbers digit by digit. Only the order of members may change.
* **Total.** ``recognise`` answers for every JSON document, and ``to_event`` makes an event of every document that it
  recognises, however odd the values in it.
* **Valid.** What ``to_event`` makes is a valid CloudEvent in every mode of every protocol.
* **Told apart.** A document is recognised by one format at most, apart from the one that takes everything.

A document is what ``sukkal.formats.documents.decode`` returns: dicts, lists, strings, ints, ``Decimal``, booleans and
``None``.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

__all__ = ["AttributeValue", "Event", "Format", "Received"]

AttributeValue = str | int | bool


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A CloudEvent: its context attributes, and its data.

    ``source`` and ``id`` together name the occurrence. ``time`` is a timestamp of RFC 3339. ``data`` is a JSON
    document, or ``bytes`` if it is something else; ``None`` is no data. ``specversion`` is always 1.0.
    """

    id: str
    source: str
    type: str
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    extensions: Mapping[str, AttributeValue] = {}
    data: Any = None


class Received(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a message besides its body: where it was posted, as what, and when.

    ``queue_name`` is the name of a topic if it ``is_topic``.
    """

    project: str
    queue_name: str
    message_id: str
    posted_ms: int
    ttl_s: int
    is_topic: bool = False


class Format(Protocol):
    """Translates one native shape."""

    @property
    def name(self) -> str:
        """What the format is called in options and in events: lower-case letters, digits and hyphens."""

    def recognise(self, document: Any) -> bool:
        """Tell whether a document has this shape."""

    def to_event(self, document: Any, received: Received) -> Event:
        """Return the event that a recognised document tells of."""

    def to_native(self, event: Event) -> Any:
        """Return the document that an event was made from, or the nearest one if it came as an event.

        Raises ``InvalidEvent`` if the event does not hold together.
        """

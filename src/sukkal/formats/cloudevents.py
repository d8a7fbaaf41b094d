"""CloudEvents 1.0 in JSON, one by one and in batches, and what two of their attributes mean for a queue."""

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sukkal import limits
from sukkal.errors import InvalidBody, InvalidEvent
from sukkal.format import Event, Received
from sukkal.formats import documents, remainders
from sukkal.formats.attributes import ATTRIBUTES, SPECVERSION, event_of
from sukkal.formats.times import instant

__all__ = [
    "BATCH_TYPE",
    "STRUCTURED_TYPE",
    "SUBPROTOCOL",
    "CloudEvents",
    "decode",
    "decode_batch",
    "document_of",
    "encode",
    "encode_batch",
    "event_of_document",
    "identity",
    "ttl_s",
]

STRUCTURED_TYPE: Final = "application/cloudevents+json"
BATCH_TYPE: Final = "application/cloudevents-batch+json"
SUBPROTOCOL: Final = "cloudevents.json"
"""The WebSocket subprotocol whose text frames are single events."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def event_of_document(document: Any) -> Event:
    """Return the event that a document in the JSON format is. Raises ``InvalidEvent``, naming the attribute."""
    if not isinstance(document, dict):
        raise InvalidEvent("An event is a JSON object.")
    attributes = dict(document)
    data = attributes.pop("data", None)
    if (encoded := attributes.pop("data_base64", None)) is not None:
        if data is not None:
            raise InvalidEvent("data and data_base64 exclude each other.")
        data = _bytes_of(encoded)
    return event_of(attributes, data)


def document_of(event: Event) -> dict[str, Any]:
    """Return the event as a document in the JSON format, its attributes in the order of the specification."""
    document: dict[str, Any] = {"specversion": SPECVERSION}
    document |= {name: value for name in ATTRIBUTES if (value := getattr(event, name)) is not None}
    document |= event.extensions
    if isinstance(event.data, bytes):
        document["data_base64"] = b64encode(event.data).decode("ascii")
    elif event.data is not None:
        document["data"] = event.data
    return document


def decode(text: bytes) -> Event:
    """Return the event of a body in structured mode. Raises ``InvalidBody`` or ``InvalidEvent``."""
    return event_of_document(documents.decode(text))


def encode(event: Event) -> bytes:
    """Return the event as a body in structured mode."""
    return documents.encode(document_of(event))


def decode_batch(text: bytes) -> list[Event]:
    """Return the events of a batch, which may be none. Raises ``InvalidBody``, or ``InvalidEvent`` with its place."""
    batch = documents.decode(text)
    if not isinstance(batch, list):
        raise InvalidBody("A batch of events is a JSON array.")
    if len(batch) > limits.MESSAGES_PER_POST_MAX:
        raise InvalidBody(f"A batch has {limits.MESSAGES_PER_POST_MAX} events at most.")
    events = []
    for place, document in enumerate(batch):
        try:
            events.append(event_of_document(document))
        except InvalidEvent as error:
            raise InvalidEvent(f"Event {place} of the batch: {error}") from None
    return events


def encode_batch(events: list[Event]) -> bytes:
    """Return the events as one batch."""
    return documents.encode([document_of(event) for event in events])


def identity(event: Event) -> str:
    """Return a short name of what the event tells of: the same for the same source and id, and for no others."""
    digest = hashlib.sha256(documents.encode([event.source, event.id])).hexdigest()
    return f"cloudevents-{digest}"


def ttl_s(event: Event, now_ms: int) -> int | None:
    """Return how long the event is of use, in seconds rounded up, 0 if no longer; ``None`` if it does not say."""
    expiry = event.extensions.get("expirytime")
    moment = instant(expiry) if isinstance(expiry, str) else None
    if moment is None:
        return None
    left = moment - _EPOCH - timedelta(milliseconds=now_ms)
    return max(0, -(-left // timedelta(seconds=1)))


def _bytes_of(encoded: Any) -> bytes:
    try:
        if isinstance(encoded, str):
            return b64decode(encoded.encode("ascii"), validate=True)
    except (NotBase64, UnicodeEncodeError):
        pass
    raise InvalidEvent("data_base64 must be a string in Base64.")


class CloudEvents:
    """Events that were posted as such: they are what they are, unless the JSON says a thing in an unusual way."""

    name: Final = "cloudevents"

    def recognise(self, document: Any) -> bool:
        """Tell whether the document is a valid CloudEvent."""
        if not (isinstance(document, dict) and document.get("specversion") == SPECVERSION):
            return False
        try:
            event_of_document(document)
        except InvalidEvent:
            return False
        return True

    def to_event(self, document: Any, received: Received) -> Event:
        """Return the event; what a message adds to it is of no interest."""
        event = event_of_document(document)
        plain = event.extensions.get(remainders.FORMAT) != self.name
        if plain and documents.is_same(document_of(event), document):
            return event
        return remainders.mark_whole(event, self.name, document)

    def to_native(self, event: Event) -> Any:
        """Return the event in the JSON format, as it was posted."""
        if event.extensions.get(remainders.FORMAT) == self.name:
            return remainders.complete(document_of(event), event)
        return document_of(event)

"""What a message is as an event: in any queue, whatever was posted."""

from typing import Any, Final

from sukkal import limits
from sukkal.errors import InvalidBody, InvalidEvent
from sukkal.filters.values import Attributes
from sukkal.format import Event, Format, Received
from sukkal.formats import RAW, Registry, cloudevents, documents, remainders
from sukkal.formats.attributes import ATTRIBUTES, SPECVERSION

__all__ = ["Recogniser", "attributes_of"]

_CLOUDEVENTS: Final = cloudevents.CloudEvents.name


class Recogniser:
    """Tells what bodies are, by the formats that are installed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def event(self, body: bytes, received: Received) -> Event:
        """Return the event that a message is. A body that no format can read is its data as bytes."""
        try:
            document, found = self._read(body)
        except InvalidBody:
            return RAW.to_event(body, received)
        # An event that came as such is what it is, however its JSON is written.
        return (
            cloudevents.event_of_document(document)
            if found.name == _CLOUDEVENTS
            else found.to_event(document, received)
        )

    def as_event(self, body: bytes, received: Received) -> bytes:
        """Return the body as an event in the JSON format; one that is an event already stays as it is."""
        try:
            return self.normalised(body, received)
        except InvalidBody:
            return cloudevents.encode(RAW.to_event(body, received))

    def normalised(self, body: bytes, received: Received) -> bytes:
        """Return the body as an event from which it can be had again. Raises ``InvalidBody``."""
        document, found = self._read(body)
        return body if found.name == _CLOUDEVENTS else cloudevents.encode(found.to_event(document, received))

    def as_native(self, body: bytes) -> bytes:
        """Return the document that the body was made from, if it is an event that was made from one."""
        try:
            event = cloudevents.decode(body)
            if remainders.FORMAT not in event.extensions:
                return body
            if isinstance(event.data, bytes) and event.extensions[remainders.FORMAT] == RAW.name:
                return event.data if documents.is_text(event.data) else body
            return documents.encode(self._registry.to_native(event))
        except (InvalidBody, InvalidEvent):
            return body

    def _read(self, body: bytes) -> tuple[Any, Format]:
        """Return the document of a body and its format. Raises ``InvalidBody``."""
        document = documents.decode(body)
        found = self._registry.recognise(document)
        if found.name != _CLOUDEVENTS:
            # The event around it is a level more, and has to be read as well.
            documents.check_depth(body, document, limits.EVENT_NESTING_MAX - 1)
        return document, found


def attributes_of(event: Event) -> Attributes:
    """Return what filters look at."""
    found = {name: value for name in ATTRIBUTES if (value := getattr(event, name)) is not None}
    found |= {name: value for name, value in event.extensions.items() if name != remainders.REMAINDER}
    return {"specversion": SPECVERSION, **found}

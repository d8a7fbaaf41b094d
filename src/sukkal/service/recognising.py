"""What a message is as an event: in any queue, whatever was posted."""

from typing import Any, Final, Literal

from sukkal import limits
from sukkal.errors import InvalidBody, InvalidEvent
from sukkal.filters.values import Attributes
from sukkal.format import Event, Format, Received
from sukkal.formats import RAW, Registry, cloudevents, documents, remainders
from sukkal.formats.attributes import ATTRIBUTES, SPECVERSION

__all__ = ["Form", "Recognised", "Recogniser", "attributes_of", "native"]

Form = Literal["cloudevents", "native"]

_CLOUDEVENTS: Final = cloudevents.CloudEvents.name


class Recognised:
    """A message, which is read once for all that is asked of it, and not before."""

    def __init__(self, registry: Registry, body: bytes, received: Received) -> None:
        self._registry = registry
        self._body = body
        self._received = received
        self._found: tuple[Any, Format] | InvalidBody | None = None
        self._event: Event | None = None

    def _read(self) -> tuple[Any, Format]:
        """Return the document of the body and its format. Raises ``InvalidBody``."""
        if self._found is None:
            try:
                self._found = _read(self._registry, self._body)
            except InvalidBody as error:
                self._found = error
        if isinstance(self._found, InvalidBody):
            raise self._found
        return self._found

    @property
    def event(self) -> Event:
        """The event that the message is. A body that no format can read is its data as bytes."""
        if self._event is None:
            self._event = self._made()
        return self._event

    def _made(self) -> Event:
        try:
            document, found = self._read()
        except InvalidBody:
            return RAW.to_event(self._body, self._received)
        # An event that came as such is what it is, however its JSON is written.
        if found.name == _CLOUDEVENTS:
            return cloudevents.event_of_document(document)
        return found.to_event(document, self._received)

    @property
    def attributes(self) -> Attributes:
        """What filters look at."""
        return attributes_of(self.event)

    @property
    def _came_as_event(self) -> bool:
        try:
            return self._read()[1].name == _CLOUDEVENTS
        except InvalidBody:
            return False

    def body(self, form: Form | None) -> bytes:
        """Return the body in a form: as an event in the JSON format, as the document that an event was made from."""
        if form is None:
            return self._body
        if form == "native":
            return native(self._registry, self._body, self.event) if self._came_as_event else self._body
        return self._body if self._came_as_event else cloudevents.encode(self.event)

    def normalised(self) -> bytes:
        """Return the body as an event from which it can be had again. Raises ``InvalidBody``."""
        self._read()
        return self.body("cloudevents")


class Recogniser:
    """Tells what bodies are, by the formats that are installed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def recognised(self, body: bytes, received: Received) -> Recognised:
        """Return what a message is."""
        return Recognised(self._registry, body, received)

    def event(self, body: bytes, received: Received) -> Event:
        """Return the event that a message is."""
        return self.recognised(body, received).event

    def as_native(self, body: bytes) -> bytes:
        """Return the document that the body was made from, if it is an event that was made from one."""
        try:
            return native(self._registry, body, cloudevents.decode(body))
        except (InvalidBody, InvalidEvent):
            return body


def native(registry: Registry, body: bytes, event: Event) -> bytes:
    """Return the document that a body was made from, which is an event; the body if it was made from none."""
    if remainders.FORMAT not in event.extensions:
        return body
    if isinstance(event.data, bytes) and event.extensions[remainders.FORMAT] == RAW.name:
        return event.data if documents.is_text(event.data) else body
    try:
        return documents.encode(registry.to_native(event))
    except (InvalidBody, InvalidEvent):
        return body


def attributes_of(event: Event) -> Attributes:
    """Return what filters look at."""
    found = {name: value for name in ATTRIBUTES if (value := getattr(event, name)) is not None}
    found |= {name: value for name, value in event.extensions.items() if name != remainders.REMAINDER}
    return {"specversion": SPECVERSION, **found}


def _read(registry: Registry, body: bytes) -> tuple[Any, Format]:
    document = documents.decode(body)
    found = registry.recognise(document)
    if found.name != _CLOUDEVENTS:
        # The event around it is a level more, and has to be read as well.
        documents.check_depth(body, document, limits.EVENT_NESTING_MAX - 1)
    return document, found

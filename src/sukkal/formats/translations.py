"""How a format is made of a translation that need not be loss-free: what it misses is kept beside it."""

from typing import Any, Protocol

from sukkal.errors import InvalidEvent
from sukkal.format import Event, Received
from sukkal.formats import remainders

__all__ = ["LossFree", "Translation"]


class Translation(Protocol):
    """The two directions of a format as a table describes them, useful to readers of events."""

    @property
    def name(self) -> str:
        """What the format is called."""

    def recognise(self, document: Any) -> bool:
        """Tell whether a document has this shape."""

    def describe(self, document: Any, received: Received) -> Event:
        """Return the event that a recognised document tells of."""

    def restore(self, event: Event) -> Any:
        """Return a document that tells of an event; any event, also one of another origin."""


class LossFree:
    """A format: a translation, and the remainder that makes it exact."""

    def __init__(self, translation: Translation) -> None:
        self._translation = translation

    @property
    def name(self) -> str:
        """What the format is called."""
        return self._translation.name

    def recognise(self, document: Any) -> bool:
        """Tell whether a document has this shape."""
        return self._translation.recognise(document)

    def to_event(self, document: Any, received: Received) -> Event:
        """Return the event that a recognised document tells of, with all that it takes to restore the document."""
        event = self._translation.describe(document, received)
        return remainders.mark(event, self.name, self._translation.restore(event), document)

    def to_native(self, event: Event) -> Any:
        """Return the document that an event was made from, or the nearest one.

        Raises ``InvalidEvent`` if its data is no document, or its remainder is damaged.
        """
        if isinstance(event.data, bytes):
            raise InvalidEvent(f"data is not JSON, and {self.name} knows nothing else.")
        restored = self._translation.restore(remainders.unmarked(event))
        return (
            remainders.complete(restored, event) if event.extensions.get(remainders.FORMAT) == self.name else restored
        )

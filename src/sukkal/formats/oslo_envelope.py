"""Notifications of oslo.messaging in the envelope of its wire format 2.0, where they are JSON inside of JSON."""

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from sukkal.errors import InvalidBody
from sukkal.format import Event, Format, Received
from sukkal.formats import documents, remainders

__all__ = ["OsloEnvelope"]

_VERSION: Final = "oslo.version"
_MESSAGE: Final = "oslo.message"


class OsloEnvelope:
    """Opens and closes the envelope; what is in it is another format's."""

    name: Final = "oslo-envelope"

    def __init__(self, notifications: Format) -> None:
        self._notifications = notifications

    def recognise(self, document: Any) -> bool:
        """Tell whether the document is an envelope with a notification."""
        return _is_envelope(document) and self._notifications.recognise(_opened(document))

    def to_event(self, document: Any, received: Received) -> Event:
        """Return the event of the notification in the envelope."""
        event = self._named(self._notifications.to_event(_opened(document), received), self.name)
        if documents.is_same(self.to_native(event), document):
            return event
        return remainders.mark_whole(event, self.name, document)

    def to_native(self, event: Event) -> Any:
        """Return the notification in an envelope. Raises ``InvalidEvent``."""
        ours = event.extensions.get(remainders.FORMAT) == self.name
        native = self._notifications.to_native(self._named(event, self._notifications.name) if ours else event)
        return native if ours and _is_envelope(native) else _closed(native)

    def _named(self, event: Event, name: str) -> Event:
        return replace(event, extensions={**event.extensions, remainders.FORMAT: name})


def _is_envelope(document: Any) -> bool:
    return isinstance(document, dict) and document.keys() == {_VERSION, _MESSAGE}


def _opened(document: Any) -> Any:
    message = document[_MESSAGE]
    try:
        return documents.decode(message.encode()) if isinstance(message, str) else None
    except InvalidBody:
        return None


def _closed(native: Any) -> dict[str, Any]:
    # With the spaces that Python's own json writes, as oslo.messaging does.
    text = msgspec.json.format(documents.encode_ascii(native), indent=0)
    return {_VERSION: "2.0", _MESSAGE: text}

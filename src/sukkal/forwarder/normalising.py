"""What came becomes an event, and nothing of it but the event's own attributes and data goes on.

The context in which a service sent a notification has the caller's token and roles. It is looked at here, for the
project, and goes no further.
"""

import hashlib
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from sukkal.errors import InvalidBody, InvalidEvent
from sukkal.format import Event, Received
from sukkal.formats import RAW, Registry, documents, remainders
from sukkal.source import Arrival

__all__ = ["Normalised", "Unreadable", "normalised"]

_VERSION: Final = "oslo.version"
_MESSAGE: Final = "oslo.message"
_ID_CHARS: Final = 32


class Unreadable(Exception):
    """What came is no notification, or nobody's, and will not become one by being read again."""


class Normalised(NamedTuple):
    """An event, and the document that it was made of."""

    event: Event
    document: Any


def normalised(arrival: Arrival, registry: Registry, *, now_ms: int) -> Normalised:
    """Return the event of what came. Raises ``Unreadable``."""
    try:
        document = _opened(documents.decode(arrival.body))
        if not isinstance(document, dict):
            raise Unreadable("It is not a JSON object.")
        found = registry.recognise(document)
        if found is RAW:
            raise Unreadable("It has no format that is known here.")
        event = found.to_event(document, _received(arrival, now_ms))
    except (InvalidBody, InvalidEvent) as error:
        raise Unreadable(str(error)) from error
    extensions = {name: value for name, value in event.extensions.items() if name != remainders.REMAINDER}
    return Normalised(replace(event, extensions=extensions), document)


def _opened(document: Any) -> Any:
    match document:
        case {"oslo.version": _, "oslo.message": str(text)} if document.keys() == {_VERSION, _MESSAGE}:
            return documents.decode(text.encode())
        case _:
            return document


def _received(arrival: Arrival, now_ms: int) -> Received:
    # A notification without an id has the same one whenever it comes.
    id_ = arrival.id or hashlib.sha256(arrival.body).hexdigest()[:_ID_CHARS]
    return Received(project="", queue_name=arrival.place, message_id=id_, posted_ms=now_ms, ttl_s=0)

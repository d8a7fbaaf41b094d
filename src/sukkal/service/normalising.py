"""Normalising: queues that store every message as the event that it is."""

from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import InvalidBody, InvalidRequest
from sukkal.format import Received
from sukkal.model import NewMessage
from sukkal.service.recognising import Recogniser

__all__ = ["normalised", "size_as_posted"]


def normalised(recogniser: Recogniser, message: NewMessage, received: Received, place: int) -> NewMessage:
    """Return the message with its body as an event.

    Raises ``InvalidBody`` if it cannot be had again from one, ``InvalidRequest`` if that is much larger.
    """
    try:
        event = recogniser.recognised(message.body, received).normalised()
    except InvalidBody as error:
        raise InvalidBody(f"messages[{place}] cannot be stored as an event, as the queue asks for: {error}") from None
    most = _as_event_bytes_max(len(message.body))
    if len(event) > most:
        raise InvalidRequest(
            f"messages[{place}] has {len(event)} bytes as an event, as which the queue stores it (_normalize). It may "
            f"have {most}: {limits.EVENT_GROWTH} times what was posted, and {limits.EVENT_ATTRIBUTES_BYTES_MAX}."
        )
    return replace(message, body=event)


def size_as_posted(recogniser: Recogniser, body: bytes) -> int:
    """Return the size of what an event was made of, as far as it explains the event's own; of others their own."""
    size = len(recogniser.as_native(body))
    return size if len(body) <= _as_event_bytes_max(size) else len(body)


def _as_event_bytes_max(size: int) -> int:
    """Return how large an event may be that is made of a body of this size."""
    return size * limits.EVENT_GROWTH + limits.EVENT_ATTRIBUTES_BYTES_MAX

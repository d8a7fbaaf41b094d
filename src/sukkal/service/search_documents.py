"""What an index is given of a message: the event that it is, the words in it, and the resource that it tells of."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sukkal import limits
from sukkal.filters.values import Attributes
from sukkal.format import Event
from sukkal.formats import cloudevents
from sukkal.formats.remainders import unmarked
from sukkal.formats.times import instant
from sukkal.model import Message, QueueKey
from sukkal.search import Document
from sukkal.service.lenses import received
from sukkal.service.recognising import Recogniser
from sukkal.service.resources import change_of

__all__ = ["document_of"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def document_of(recogniser: Recogniser, key: QueueKey, message: Message) -> Document:
    """Return what is kept of a message of a queue. An event that is very large is kept without its data."""
    event = unmarked(recogniser.event(message.body, received(key, message)))
    text = cloudevents.encode(event)
    if len(text) > limits.SEARCH_EVENT_BYTES_MAX:
        text = cloudevents.encode(_without_data(event))
    moment = instant(event.time) if event.time is not None else None
    return Document(
        source=event.source,
        id=event.id,
        type=event.type,
        subject=event.subject,
        time_ms=message.created_ms if moment is None else _happened_ms(moment, message.created_ms),
        posted_ms=message.created_ms,
        queue=key,
        message_id=message.id,
        event=text,
        text=" ".join(_words(event)),
        data=event.data,
        resource=change_of(event),
    )


def _happened_ms(moment: datetime, posted_ms: int) -> int:
    # A clock that is far ahead must not keep its resource from ever changing again.
    return min((moment - _EPOCH) // _MS, posted_ms + limits.SEARCH_AHEAD_MS_MAX)


def _without_data(event: Event) -> Event:
    return Event(
        id=event.id,
        source=event.source,
        type=event.type,
        subject=event.subject,
        time=event.time,
        dataschema=event.dataschema,
        extensions=event.extensions,
    )


def _words(event: Event) -> Iterator[str]:
    """Yield the texts and numbers of an event, as many as are indexed."""
    left = limits.SEARCH_TEXT_CHARS_MAX
    attributes: Attributes = event.extensions
    for text in _texts([event.type, event.subject, event.source, event.id, *attributes.values(), event.data]):
        yield text[:left]
        left -= len(text) + 1
        if left <= 0:
            return


def _texts(document: Any) -> Iterator[str]:
    """Yield the leaves of a document in its order, without recursion: it may be nested as deeply as it likes."""
    stack = [iter([document])]
    while stack:
        for value in stack[-1]:
            if isinstance(value, dict):
                stack.append(iter(value.values()))
                break
            if isinstance(value, list):
                stack.append(iter(value))
                break
            if isinstance(value, str):
                yield value
            elif value is not None and not isinstance(value, bool | bytes):
                yield str(value)
        else:
            stack.pop()

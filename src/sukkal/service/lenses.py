"""What readers want to see of messages: only events that pass their filters, and bodies in a form of their choice."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import InvalidFilter, InvalidRequest
from sukkal.filters.matching import Passes, compiled, demanded, parts, weight
from sukkal.filters.reading import read_filters
from sukkal.filters.values import Attributes
from sukkal.format import Received
from sukkal.formats.cloudevents import STRUCTURED_TYPE
from sukkal.model import Message, QueueKey, Subscription
from sukkal.service.recognising import Form, Recogniser
from sukkal.service.remembering import Remembered
from sukkal.service.turns import Turns

__all__ = [
    "CLEAR",
    "FILTERS",
    "FORMAT",
    "SOURCE",
    "TYPES",
    "Form",
    "Lens",
    "Lenses",
    "check_lens",
    "filters_of",
    "lens_of",
    "posted",
    "received",
]

FILTERS: Final = "filters"
FORMAT: Final = "format"
SOURCE: Final = "source"
TYPES: Final = "types"
"""Options of subscriptions."""

_FORMS: Final = ("cloudevents", "native")


class Lens(msgspec.Struct, frozen=True, gc=False):
    """What a reader wants. ``filters`` is the text by which the same filters are told; without any all is wanted.

    ``demands`` is an attribute and the only value of it that can pass, if there is one; ``weight`` tells what it costs
    to look, in attributes compared, ``parts`` of how many parts the filters are made.
    """

    filters: bytes = b""
    passes: Passes | None = None
    form: Form | None = None
    demands: tuple[str, str] | None = None
    weight: int = 0
    parts: int = 0

    def weight_of(self, size: int) -> int:
        """Return what it costs to decode a body of so many bytes and look at it."""
        return 1 + self.weight + size // limits.DECODED_BYTES_PER_WEIGHT

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        return limits.FILTER_PART_BYTES * (1 + self.parts) + len(self.filters)

    @property
    def clear(self) -> bool:
        """Whether messages are seen as they are."""
        return self.passes is None and self.form is None


CLEAR: Final = Lens()
"""What shows everything as it is."""


def lens_of(filters: object, form: object, *, field: str = FILTERS, form_field: str = FORMAT) -> Lens:
    """Return the lens for filters and a form, which are ``None`` if not given.

    Raises ``InvalidFilter``, ``InvalidRequest``.
    """
    if form not in (None, *_FORMS):
        raise InvalidRequest(f"{form_field} must be {' or '.join(_FORMS)}.")
    if filters is None:
        return Lens(form=form)
    read = read_filters(filters, field)
    return Lens(msgspec.json.encode(filters), compiled(read), form, demanded(read), weight(read), parts(read))


def filters_of(options: Mapping[str, Any]) -> list[Any] | None:
    """Return all filters of a subscription: source and types are short for some. Raises ``InvalidFilter``."""
    filters, source, types = options.get(FILTERS), options.get(SOURCE), options.get(TYPES)
    if filters is None and source is None and types is None:
        return None
    if filters is not None and not isinstance(filters, list):
        raise InvalidFilter("options.filters", "it must be an array of filters")
    found = list(filters or ())
    if source is not None:
        found.append({"exact": {"source": source}})
    if types is not None:
        if not isinstance(types, list) or not types:
            raise InvalidFilter("options.types", "it must be an array of one or more types")
        found.append({"any": [{"exact": {"type": each}} for each in types]})
    return found


def check_lens(options: Mapping[str, Any]) -> None:
    """Refuse options of a subscription that cannot be met. Raises ``InvalidFilter``, ``InvalidRequest``."""
    lens_of(filters_of(options), options.get(FORMAT), field="options.filters", form_field="options.format")


def received(key: QueueKey, message: Message) -> Received:
    """Return what is known of a stored message besides its body."""
    return posted(key, message.id, at_ms=message.created_ms, ttl_s=message.ttl_s)


def posted(key: QueueKey, message_id: str, *, at_ms: int, ttl_s: int) -> Received:
    """Return what is known of a message when it is posted."""
    return Received(
        project=key.project,
        queue_name=key.name,
        message_id=message_id,
        posted_ms=at_ms,
        ttl_s=ttl_s,
        is_topic=key.kind == "topic",
    )


class Lenses:
    """Looks at messages through lenses, and remembers those of subscriptions."""

    def __init__(self, recogniser: Recogniser) -> None:
        self.recogniser = recogniser
        self.turns = Turns()
        self._of: Remembered[tuple[QueueKey, str, int], Lens] = Remembered(
            limits.LENSES_REMEMBERED_BYTES_MAX, share=limits.LENSES_OF_PROJECT_BYTES_MAX
        )

    def attributes(self, body: bytes, what: Received) -> Attributes:
        """Return the attributes of the event that a message is."""
        return self.recogniser.recognised(body, what).attributes

    def body(self, form: Form | None, body: bytes, what: Received) -> bytes:
        """Return the body in a form."""
        return body if form is None else self.recogniser.recognised(body, what).body(form)

    def seen(self, lens: Lens, body: bytes, what: Received) -> bytes | None:
        """Return a message's body as it looks through a lens, ``None`` if it is not wanted there."""
        message = self.recogniser.recognised(body, what)
        return message.body(lens.form) if lens.passes is None or lens.passes(message.attributes) else None

    def delivered(self, subscription: Subscription, body: bytes, what: Received) -> tuple[bytes, str | None]:
        """Return what is delivered of a message, and its media type if it is the body alone."""
        form = self.of(subscription).form
        return self.body(form, body, what), STRUCTURED_TYPE if form == "cloudevents" else None

    def of(self, subscription: Subscription) -> Lens:
        """Return what a subscription wants. Options that were stored before they meant anything mean nothing."""
        if not any(name in subscription.options for name in (FILTERS, FORMAT, SOURCE, TYPES)):
            return CLEAR
        place = (subscription.queue, subscription.id, subscription.revision)
        lens = self._of.get(subscription.queue.project, place)
        if lens is None:
            lens = _stored(subscription)
            self._of.put(subscription.queue.project, place, lens, lens.size)
        return lens


def _stored(subscription: Subscription) -> Lens:
    try:
        return lens_of(filters_of(subscription.options), subscription.options.get(FORMAT))
    except InvalidRequest:
        return CLEAR

"""Operations on event listeners."""

from typing import Final

from sukkal import limits
from sukkal.service.listener_terms import KINDS
from sukkal.settings import Settings
from sukkal.transports.http.schemas.shape import (
    AGE,
    LINKS,
    TEXT,
    TTL,
    Schema,
    Shape,
    an_array,
    an_object,
    number,
    parameter,
)

__all__ = ["event_listener_shapes"]

_ID: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": limits.LISTENER_ID_CHARS_MAX}
_MEMBERS: Final[dict[str, Schema]] = {
    **dict.fromkeys(KINDS, _ID),
    "events": an_array(TEXT) | {"maxItems": limits.LISTENER_EVENTS_MAX},
    "workbook": _ID,
    "heartbeat": an_object("within", within=number(limits.HEARTBEAT_S_MIN, limits.HEARTBEAT_S_MAX)),
    "url": TEXT,
    "method": TEXT,
    "headers": {"type": "object"},
    "queue": TEXT,
    "format": {"type": ["string", "null"]},
    "options": {"type": "object", "description": "Other options of the subscription that the listener is."},
}
_LIFE: Final = number(limits.SUBSCRIPTION_TTL_S_MIN, limits.INT64_MAX)
_SHOWN: Final = an_object(*("id", "url", "ttl", "age", "options"), **_MEMBERS, id=TEXT, topic=TEXT, ttl=TTL, age=AGE)
# Exactly one of the kinds is wanted.
_WANTED: Final = {
    **an_object("url", **_MEMBERS, ttl=_LIFE),
    "oneOf": [{"required": [kind]} for kind in KINDS],
    "additionalProperties": False,
}


def event_listener_shapes(settings: Settings) -> dict[str, Shape]:
    """Return their shapes."""
    page = number(1, settings.max_subscriptions_per_page)
    return {
        "event_listeners.create": Shape(
            body=_WANTED, body_required=True, answers={"201": ("The listener, which may have been there.", _SHOWN)}
        ),
        "event_listeners.list": Shape(
            query=(
                parameter("marker", TEXT, "Where the page begins: taken from a next link."),
                parameter("limit", page, "Most subscriptions to look at."),
            ),
            answers={
                "200": (
                    "A page of listeners, which may be short and still go on.",
                    an_object("listeners", "links", listeners=an_array(_SHOWN), links=LINKS),
                )
            },
        ),
        "event_listeners.get": Shape(answers={"200": ("The listener.", _SHOWN)}),
        "event_listeners.delete": Shape(answers={"204": ("Gone, with what waited for its URL.", None)}),
    }

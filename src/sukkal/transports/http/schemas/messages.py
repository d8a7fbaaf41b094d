"""Operations on messages."""

from typing import Final

from sukkal import limits
from sukkal.settings import Settings
from sukkal.transports.http.schemas.shape import (
    ANY,
    FLAG,
    LINKS,
    TEXT,
    Schema,
    Shape,
    an_array,
    an_object,
    number,
    parameter,
    ref,
)

__all__ = ["DETAILED", "LENS", "message_shapes"]

LENS: Final = (
    parameter("filter", TEXT, "Filters as JSON: only messages whose event passes."),
    parameter("sql", TEXT, "An expression: only messages for whose event it is true."),
    parameter("format", {"enum": ["cloudevents", "native"]}, "The form of the bodies."),
)
DETAILED: Final = parameter("detailed", FLAG, "Show how often a message was claimed, and where a dead letter is from.")


QUEUE_NAME: Final[Schema] = {
    "type": "string",
    "minLength": 1,
    "maxLength": limits.QUEUE_NAME_CHARS_MAX,
    "pattern": r"^[a-zA-Z0-9_\-.]+$",
}
CORRELATION_ID: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": limits.CORRELATION_ID_CHARS_MAX}
IDEMPOTENCY_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": limits.IDEMPOTENCY_KEY_CHARS_MAX,
        "pattern": "^[!-~]+$",
    },
    "description": "Names this post, so that repeating it stores nothing twice.",
}


def message_shapes(settings: Settings) -> dict[str, Shape]:
    """Return their shapes."""
    ids = {"type": "string", "description": "Up to a page of message ids, separated by commas."}
    new = an_object(
        "body",
        body=ANY,
        ttl=number(limits.MESSAGE_TTL_S_MIN, settings.max_message_ttl),
        delay=number(0, settings.max_message_delay),
        reply_to=QUEUE_NAME,
        correlation_id=CORRELATION_ID,
    )
    return {
        "messages.post": Shape(
            headers=(IDEMPOTENCY_KEY,),
            body=an_object(
                "messages",
                messages={"type": "array", "items": new, "minItems": 1, "maxItems": limits.MESSAGES_PER_POST_MAX},
            ),
            body_required=True,
            answers=_POSTED,
        ),
        "messages.post_raw": _raw(new["properties"], IDEMPOTENCY_KEY),
        "messages.ingest": _raw(new["properties"]),
        "messages.call": _call(settings, new["properties"]["ttl"]),
        "messages.list": Shape(
            query=(
                parameter("ids", TEXT, f"{ids['description']} The other parameters do not count then."),
                parameter("marker", TEXT, "Where the page begins: taken from a next link."),
                parameter("limit", number(1, settings.max_messages_per_page), "Most messages to return."),
                parameter("echo", FLAG, "Show the caller's own messages too."),
                parameter("include_claimed", FLAG, "Show claimed messages too."),
                parameter("include_delayed", FLAG, "Show delayed messages too (v2)."),
                DETAILED,
                *LENS,
                parameter("wait", number(0, settings.wait_max_s), "Seconds to wait for a message."),
            ),
            answers={
                "200": (
                    "A page of messages.",
                    an_object("messages", messages=an_array(ref("Message")), links=LINKS),
                )
            },
        ),
        "events.post": _EVENTS,
        "messages.stream": _STREAM,
        "events.connect": _CONNECT,
        "messages.get": Shape(query=(DETAILED,), answers={"200": ("The message.", ref("Message"))}),
        "messages.delete_many": _delete_many(settings, ids),
        "messages.delete": _DELETE,
    }


_DELETE: Final = Shape(
    query=(parameter("claim_id", TEXT, "The claim that holds the message."),), answers={"204": ("Gone.", None)}
)

_POSTED: Final[dict[str, tuple[str, Schema | None]]] = {
    "201": (
        "Stored durably; told to so many listeners if the queue stores nothing.",
        an_object("resources", resources=an_array(TEXT), listeners={"type": "integer", "minimum": 0}),
    )
}

_EVENT: Final = an_object(
    *("specversion", "id", "source", "type"),
    specversion={"const": "1.0"},
    id={"type": "string", "minLength": 1},
    source={"type": "string", "format": "uri-reference", "minLength": 1},
    type={"type": "string", "minLength": 1},
)
_STREAM: Final = Shape(
    query=(parameter("since", TEXT, "The last position that was seen, to be told what came after it."), *LENS),
    headers=({"name": "Last-Event-ID", "in": "header", "schema": TEXT, "description": "The same."},),
    answers={"200": ("Events, until the client goes away.", an_object("data", id=TEXT, event=TEXT, data=TEXT))},
    answer_type="text/event-stream",
)


_CONNECT: Final = Shape(
    query=(
        parameter("since", TEXT, "The last position that was seen, to be told what came after it."),
        parameter("positions", FLAG, "Say with each event where it stands in the queue."),
        *LENS[:2],
    ),
    answers={
        "101": ("Events in both directions, by the subprotocol cloudevents.json.", None),
        "426": ("The request does not ask for a WebSocket.", ref("Error")),
    },
)


_EVENTS: Final = Shape(
    body={"oneOf": [_EVENT, {"type": "array", "items": _EVENT, "maxItems": limits.MESSAGES_PER_POST_MAX}]},
    body_type="application/cloudevents+json",
    body_required=True,
    answers={"201": ("Stored durably.", an_object("resources", resources=an_array(TEXT)))},
)


def _raw(members: dict[str, Schema], *headers: Schema) -> Shape:
    return Shape(
        query=(
            parameter("ttl", members["ttl"], "Life of the message in seconds."),
            parameter("delay", members["delay"], "Seconds until it can be claimed."),
        ),
        headers=headers,
        body=ANY,
        body_required=True,
        answers=_POSTED,
    )


def _call(settings: Settings, ttl: Schema) -> Shape:
    return Shape(
        query=(parameter("timeout", number(1, max(settings.wait_max_s, 1)), "Seconds to wait for the reply."),),
        body=an_object("body", body=ANY, ttl=ttl),
        body_required=True,
        answers={
            "200": ("The reply.", an_object("id", "body", id=TEXT, body=ANY)),
            "504": ("Nobody has replied in time.", ref("Error")),
        },
    )


def _delete_many(settings: Settings, ids: Schema) -> Shape:
    return Shape(
        query=(
            parameter("ids", ids, "The messages to delete."),
            parameter("claim_ids", TEXT, "The claims that hold them, where the service asks for that."),
            parameter("pop", number(1, settings.max_messages_per_claim_or_pop), "How many messages to pop."),
            DETAILED,
        ),
        answers={
            "200": ("The messages popped.", an_object("messages", messages=an_array(ref("PoppedMessage")))),
            "204": ("Deleted.", None),
        },
    )

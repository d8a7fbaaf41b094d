"""What each operation takes and gives, for the OpenAPI document."""

from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.settings import Settings

__all__ = ["Shape", "components", "ref", "shapes"]

Schema = dict[str, Any]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """An operation's query parameters, headers, body and good answers (each with its schema, or without a body)."""

    query: tuple[Schema, ...] = ()
    headers: tuple[Schema, ...] = ()
    body: Schema | None = None
    body_type: str = "application/json"
    body_required: bool = False
    answers: dict[str, tuple[str, Schema | None]]
    answer_type: str = "application/json"


def ref(name: str) -> Schema:
    """Return a reference to one of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(*required: str, **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return schema | ({"required": list(required)} if required else {})


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_ANY: Final[Schema] = {}
_AGE: Final[Schema] = {"type": "integer", "minimum": 0, "description": "Seconds since it was made."}
_TTL: Final[Schema] = {"type": "integer", "description": "Life in seconds."}
_LINKS: Final[Schema] = _array(_object("rel", "href", rel=_TEXT, href=_TEXT))
_MESSAGE: Final[Schema] = {
    "id": _TEXT,
    "ttl": _TTL,
    "age": _AGE,
    "body": {"description": "Any JSON, as it was posted."},
    "checksum": _TEXT,
    "claim_count": {"type": "integer", "minimum": 0},
    "dead_letter": ref("DeadLetter"),
}


def components() -> dict[str, Schema]:
    """Return the schemas that several operations use."""
    end = _object(
        "age",
        "ttl",
        "body",
        "claim_id",
        "claim_count",
        "created",
        "href",
        age=_AGE,
        ttl=_TTL,
        body=_ANY,
        claim_id={"type": ["string", "null"]},
        claim_count={"type": "integer", "minimum": 0},
        created={"type": "string", "format": "date-time"},
        href=_TEXT,
    )
    count: Schema = {"type": "integer", "minimum": 0}
    return {
        "Error": _object("title", title=_TEXT, description=_TEXT),
        "Metadata": {"type": "object", "description": "Any keys; those that begin with an underscore are reserved."},
        "DeadLetter": _object(
            "reason", "queue", "claim_count", reason=_TEXT, queue=_TEXT, claim_count={"type": "integer"}
        ),
        "Message": _object("id", "href", "ttl", "age", "body", href=_TEXT, **_MESSAGE),
        "PoppedMessage": _object(
            "id",
            "ttl",
            "age",
            "body",
            "claim_id",
            "claim_count",
            claim_id=_TEXT,
            **_MESSAGE,
        ),
        "Stats": _object(
            "messages",
            messages=_object(
                "claimed",
                "free",
                "total",
                claimed=count,
                free=count,
                delayed=count,
                total=count,
                oldest=end,
                newest=end,
            ),
        ),
    }


def _parameter(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": description}


_DETAILED: Final = _parameter(
    "detailed", _FLAG, "Show how often a message was claimed, and where a dead letter is from."
)


_IDEMPOTENCY_KEY: Final[Schema] = {
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


def _number(low: int, high: int, **more: Any) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, **more}


def shapes(settings: Settings) -> dict[str, Shape]:
    """Return the shape of each operation by its name."""
    return {**_root(), **_queues(settings), **_messages(settings), **_claims(settings)}


def _root() -> dict[str, Shape]:
    return {
        "home.get": Shape(
            answers={"200": ("The resources of this version.", {"type": "object"})},
            answer_type="application/json-home",
        ),
        "ping.get": Shape(answers={"204": ("The service answers.", None)}),
        "ping.head": Shape(answers={"204": ("The service answers.", None)}),
        "health.get": Shape(answers={"200": ("What works and how long it took.", {"type": "object"})}),
    }


def _queues(settings: Settings) -> dict[str, Shape]:
    metadata = ref("Metadata")
    listed = _array(_object("name", "href", name=_TEXT, href=_TEXT, metadata=metadata))
    change = _object("op", "path", op={"enum": ["add", "remove", "replace"]}, path=_TEXT, value=_ANY)
    location = "The queue's path is in the Location header."
    return {
        "queues.list": Shape(
            query=(
                _parameter("marker", _TEXT, "Name of the last queue of the page before."),
                _parameter("limit", _number(1, settings.max_queues_per_page), "Most queues to return."),
                _parameter("detailed", _FLAG, "Show the metadata."),
                _parameter("name", _TEXT, "Only queues whose name contains this (v2)."),
                _parameter("with_count", _FLAG, "Count the project's queues (v2)."),
            ),
            answers={
                "200": (
                    "A page of queues.",
                    _object("links", queues=listed, topics=listed, links=_LINKS, count={"type": "integer"}),
                )
            },
        ),
        "queues.create": Shape(
            body=metadata,
            answers={"201": (f"Created. {location}", None), "204": (f"It existed; nothing changed. {location}", None)},
        ),
        "queues.get": Shape(answers={"200": ("The metadata; in v2 with the defaults that apply.", metadata)}),
        "queues.update": Shape(
            body=_array(change),
            body_type="application/openstack-messaging-v2.0-json-patch",
            body_required=True,
            answers={"200": ("The metadata afterwards.", metadata)},
        ),
        "queues.delete": Shape(answers={"204": ("Gone, with all that was in it.", None)}),
        "queues.stats": Shape(answers={"200": ("The queue's counts, and its ends if it is not empty.", ref("Stats"))}),
        "queues.purge": Shape(
            body=_object("resource_types", resource_types=_array({"enum": ["messages", "subscriptions"]})),
            answers={"204": ("Emptied.", None)},
        ),
    }


def _messages(settings: Settings) -> dict[str, Shape]:
    ids = {"type": "string", "description": "Up to a page of message ids, separated by commas."}
    new = _object(
        "body",
        body=_ANY,
        ttl=_number(limits.MESSAGE_TTL_S_MIN, settings.max_message_ttl),
        delay=_number(0, settings.max_message_delay),
    )
    return {
        "messages.post": Shape(
            headers=(_IDEMPOTENCY_KEY,),
            body=_object(
                "messages",
                messages={"type": "array", "items": new, "minItems": 1, "maxItems": limits.MESSAGES_PER_POST_MAX},
            ),
            body_required=True,
            answers={"201": ("Stored durably.", _object("resources", resources=_array(_TEXT)))},
        ),
        "messages.list": Shape(
            query=(
                _parameter("ids", _TEXT, f"{ids['description']} The other parameters do not count then."),
                _parameter("marker", _TEXT, "Where the page begins: taken from a next link."),
                _parameter("limit", _number(1, settings.max_messages_per_page), "Most messages to return."),
                _parameter("echo", _FLAG, "Show the caller's own messages too."),
                _parameter("include_claimed", _FLAG, "Show claimed messages too."),
                _parameter("include_delayed", _FLAG, "Show delayed messages too (v2)."),
                _DETAILED,
                _parameter("wait", _number(0, settings.wait_max_s), "Seconds to wait for a message."),
            ),
            answers={
                "200": (
                    "A page of messages.",
                    _object("messages", messages=_array(ref("Message")), links=_LINKS),
                )
            },
        ),
        "messages.get": Shape(query=(_DETAILED,), answers={"200": ("The message.", ref("Message"))}),
        "messages.delete_many": Shape(
            query=(
                _parameter("ids", ids, "The messages to delete."),
                _parameter("claim_ids", _TEXT, "The claims that hold them, where the service asks for that."),
                _parameter("pop", _number(1, settings.max_messages_per_claim_or_pop), "How many messages to pop."),
                _DETAILED,
            ),
            answers={
                "200": ("The messages popped.", _object("messages", messages=_array(ref("PoppedMessage")))),
                "204": ("Deleted.", None),
            },
        ),
        "messages.delete": Shape(
            query=(_parameter("claim_id", _TEXT, "The claim that holds the message."),),
            answers={"204": ("Gone.", None)},
        ),
    }


def _claims(settings: Settings) -> dict[str, Shape]:
    claim = {"href": _TEXT, "age": _AGE, "ttl": _TTL}
    lease = _object(
        ttl=_number(limits.CLAIM_TTL_S_MIN, settings.max_claim_ttl),
        grace=_number(limits.CLAIM_GRACE_S_MIN, settings.max_claim_grace),
    )
    return {
        "claims.create": Shape(
            query=(
                _parameter("limit", _number(1, settings.max_messages_per_claim_or_pop), "Most messages to claim."),
                _parameter("wait", _number(0, settings.wait_max_s), "Seconds to wait for a message."),
                _DETAILED,
            ),
            body=lease,
            answers={
                "201": (
                    "The messages claimed; the claim's path is in the Location header.",
                    _object("messages", messages=_array(ref("Message"))),
                ),
                "204": ("There was nothing to claim.", None),
            },
        ),
        "claims.list": Shape(
            query=(
                _parameter("marker", _TEXT, "Id of the last claim of the page before."),
                _parameter("limit", _number(1, settings.max_messages_per_page), "Most claims to return."),
            ),
            answers={
                "200": (
                    "A page of claims.",
                    _object(
                        "claims",
                        "links",
                        claims=_array(_object("id", "href", "age", "ttl", id=_TEXT, **claim)),
                        links=_LINKS,
                    ),
                )
            },
        ),
        "claims.get": Shape(
            query=(_DETAILED,),
            answers={
                "200": (
                    "The claim and what it holds.",
                    _object("href", "age", "ttl", "messages", messages=_array(ref("Message")), **claim),
                )
            },
        ),
        "claims.update": Shape(body=lease, body_required=True, answers={"204": ("Its time begins anew.", None)}),
        "claims.delete": Shape(answers={"204": ("Ended; what it held is free.", None)}),
        "claims.release": Shape(
            body=_object(delay=_number(0, limits.RELEASE_DELAY_S_MAX)), answers={"204": ("The message is free.", None)}
        ),
    }

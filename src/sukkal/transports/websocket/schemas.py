"""What each action takes and answers, made from what its operation takes and answers over HTTP."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.settings import Settings
from sukkal.transports.http.schemas import PATH_PARAMETERS, Shape, components, shapes
from sukkal.transports.http.schemas.shape import AGE, FLAG, TEXT, TTL, Schema, an_array, an_object, number, ref
from sukkal.transports.websocket.answering import ACTIONS

__all__ = ["Form", "forms", "frame_components"]

Answers = dict[str, Schema]
"""The body of the answer by its status."""


class Form(msgspec.Struct, frozen=True):
    """The members of an action's body, which of them must be there, and its good answers."""

    body: Schema
    answers: Answers


class _Otherwise(msgspec.Struct, frozen=True, kw_only=True):
    """How an action differs from its operation.

    The body of the request is the member ``within``, instead of being the frame's body itself. ``without`` are members
    that only HTTP has, ``more`` those that only frames have or that have another form there, ``required`` those that
    must be there, and ``optional`` those that need not, unlike over HTTP. ``answers`` stand for those over HTTP.
    """

    within: str | None = None
    without: tuple[str, ...] = ()
    more: Mapping[str, Schema] = {}
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    answers: Answers | None = None


_NOTHING: Final[Answers] = {"204": {"type": "object", "maxProperties": 0}}
_SAID: Final[Schema] = {"type": "string", "description": "A sentence."}
_IDS: Final = an_array(TEXT)
_MARKER: Final[Schema] = {"type": ["string", "null"], "description": "Where the next page begins."}
_MESSAGES: Final = an_object("messages", messages=an_array(ref("Message")), marker=_MARKER)
_POSTED: Final[Answers] = {
    "201": an_object("message_ids", message_ids=_IDS, listeners={"type": "integer", "minimum": 0})
}
_CLAIM: Final = {"age": AGE, "ttl": TTL}
_SIGNED: Final = {"paths": _IDS, "methods": _IDS, "expires": TEXT}
_PREFETCH: Final = number(0, limits.WEBSOCKET_PREFETCH_MAX)
_CONSUMES: Final = an_object("prefetch", prefetch=_PREFETCH)
_RESUME: Final[Schema] = {
    "oneOf": [{"type": ["boolean", "null"]}, TEXT],
    "description": "true to get positions, or the last position that was seen, to be told what came after it.",
}
_SUBSCRIBED: Final = an_object(
    "subscription_id", "message", subscription_id=TEXT, message=_SAID, position=TEXT, recovered=FLAG
)


def forms(settings: Settings) -> dict[str, Form]:
    """Return the form of each action by its name."""
    by_operation = shapes(settings)
    otherwise = _otherwise()
    return {
        name: _form(by_operation[action.operation.name], action.parameters, otherwise.get(name, _Otherwise()))
        for name, action in ACTIONS.items()
    }


def frame_components() -> dict[str, Schema]:
    """Return the schemas that several actions use: as over HTTP, but with ids where that has paths."""
    found = components()
    message = dict(found["Message"]["properties"])
    del message["href"]
    message["claim_id"] = {"type": ["string", "null"]}
    stats = found["Stats"]["properties"]["messages"]
    end = dict(stats["properties"]["oldest"]["properties"])
    del end["href"]
    end["id"] = TEXT
    return {
        **found,
        "Error": an_object("error", error=TEXT, code={"type": "string", "description": "The name of the error."}),
        "Message": an_object("id", "claim_id", "ttl", "age", "body", **message),
        "Stats": an_object(
            "messages",
            messages={**stats, "properties": {**stats["properties"], **dict.fromkeys(("oldest", "newest"), _end(end))}},
        ),
    }


def _end(members: dict[str, Schema]) -> Schema:
    return an_object(*members, **members)


def _form(shape: Shape, parameters: tuple[str, ...], otherwise: _Otherwise) -> Form:
    members: dict[str, Schema] = {name: PATH_PARAMETERS[name] for name in parameters}
    members |= {each["name"]: _described(each) for each in shape.query}
    required = [*parameters, *otherwise.required]
    body: Schema = shape.body or {}
    if otherwise.within is not None:
        members[otherwise.within] = body
    else:
        members |= body.get("properties", {})
        required += body.get("required", [])
    members = {name: schema for name, schema in members.items() if name not in otherwise.without}
    members |= otherwise.more
    schema = an_object(*[name for name in dict.fromkeys(required) if name not in otherwise.optional], **members)
    if "oneOf" in body and otherwise.within is None:
        schema["oneOf"] = body["oneOf"]
    return Form(schema, otherwise.answers or _answers(shape))


def _described(parameter: Mapping[str, Any]) -> Schema:
    return {**parameter["schema"], "description": parameter["description"]}


def _answers(shape: Shape) -> Answers:
    """Return the answers of an operation without its links; one without a body has an empty one."""
    return {
        status: _NOTHING["204"] if schema is None else _without_links(schema)
        for status, (_, schema) in shape.answers.items()
        if status < "400"
    }


def _without_links(schema: Schema) -> Schema:
    properties = schema.get("properties", {})
    if "links" not in properties:
        return schema
    kept = {name: each for name, each in properties.items() if name != "links"}
    return {**schema, "properties": kept, "required": [name for name in schema["required"] if name != "links"]}


def _otherwise() -> dict[str, _Otherwise]:
    return {**_on_queues(), **_on_messages(), **_on_claims(), **_on_push(), **_on_the_rest()}


def _on_queues() -> dict[str, _Otherwise]:
    named = an_array(an_object("name", name=TEXT, metadata=ref("Metadata")))
    return {
        "queue_list": _Otherwise(without=("name", "with_count"), answers={"200": an_object("queues", queues=named)}),
        "queue_create": _Otherwise(within="metadata", answers={"201": _SAID, "204": _SAID}),
        "queue_update": _Otherwise(within="changes", required=("changes",)),
        "queue_delete": _Otherwise(answers={"204": _SAID}),
        "queue_purge": _Otherwise(optional=("resource_types",)),
        "queue_get_stats": _Otherwise(answers={"200": ref("Stats"), "404": ref("Stats")}),
    }


def _on_messages() -> dict[str, _Otherwise]:
    one = an_object("messages", messages=ref("Message"))
    lens = {"filters": {"type": "array", "description": "Only messages whose event passes."}}
    return {
        "message_post": _Otherwise(answers=_POSTED),
        "event_post": _Otherwise(within="events", required=("events",), answers=_POSTED),
        "message_list": _Otherwise(without=("ids", "filter", "sql"), more=lens, answers={"200": _MESSAGES}),
        "message_get": _Otherwise(answers={"200": one}),
        "message_get_many": _Otherwise(
            without=(
                *("ids", "filter", "sql", "format", "marker", "limit", "echo", "wait"),
                *("include_claimed", "include_delayed"),
            ),
            more={"message_ids": _IDS},
            required=("message_ids",),
            answers={"200": _MESSAGES},
        ),
        "message_delete_many": _Otherwise(without=("ids",), more={"message_ids": _IDS, "claim_ids": _IDS}),
    }


def _on_claims() -> dict[str, _Otherwise]:
    held = an_object("claim_id", "messages", claim_id={"type": ["string", "null"]}, messages=an_array(ref("Message")))
    prefetch = {**_PREFETCH, "description": "Take messages as they come, so many at once; 0 takes no more."}
    return {
        "claim_create": _Otherwise(
            more={"prefetch": prefetch},
            answers={"200": _CONSUMES, "201": {"oneOf": [held, _CONSUMES]}, "204": held},
        ),
        "claim_list": _Otherwise(
            answers={"200": an_object("claims", claims=an_array(an_object("id", "age", "ttl", id=TEXT, **_CLAIM)))}
        ),
        "claim_get": _Otherwise(
            answers={"200": an_object("age", "ttl", "messages", messages=an_array(ref("Message")), **_CLAIM)}
        ),
        "claim_update": _Otherwise(answers={"204": _SAID}),
        "claim_delete": _Otherwise(answers={"204": _SAID}),
    }


def _on_push() -> dict[str, _Otherwise]:
    return {
        "subscription_create": _Otherwise(
            more={"resume": _RESUME}, optional=("subscriber",), answers={"201": _SUBSCRIBED}
        ),
        "subscription_delete": _Otherwise(answers={"204": _SAID}),
    }


def _on_the_rest() -> dict[str, _Otherwise]:
    found = {"facets": {**_IDS, "description": "Count all matches by these."}}
    signed = an_array(an_object("id", *_SIGNED, id=TEXT, **_SIGNED))
    return {
        "event_search": _Otherwise(more=found),
        "resource_search": _Otherwise(more=found),
        "signed_url_list": _Otherwise(answers={"200": an_object("signed_urls", signed_urls=signed)}),
        "limits_update": _Otherwise(within="limits"),
    }

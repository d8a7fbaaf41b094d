"""The AsyncAPI document, made from the table of operations."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

import sukkal
from sukkal.settings import Settings
from sukkal.transports.http.exchange import JSON, Request, Response
from sukkal.transports.http.schemas import PATH_PARAMETERS, ref
from sukkal.transports.http.schemas.shape import AGE, ANY, FLAG, TEXT, TTL, Schema, an_object
from sukkal.transports.websocket.answering import ACTIONS, AUTHENTICATE
from sukkal.transports.websocket.conversations import PATHS
from sukkal.transports.websocket.events import POSITION, SUBPROTOCOL
from sukkal.transports.websocket.schemas import Form, forms, frame_components

__all__ = ["asyncapi_document", "asyncapi_page"]

_BINDING: Final = "0.1.0"
_FRAMES: Final = "frames"
_EVENTS: Final = {"events": "queues", "topic_events": "topics"}
_HEADERS: Final[Schema] = {
    "type": "object",
    "description": "Names in any case.",
    "properties": {
        "Client-ID": {"type": "string", "description": "Names the client, so that it can be spared its own messages."},
        "X-Project-ID": {"type": "string", "description": "The project whose queues are meant."},
        "X-Auth-Token": {"type": "string", "description": "The token of who sends this, where there are tokens."},
        "Authorization": {"type": "string", "description": "The same as `Bearer TOKEN`."},
        "Idempotency-Key": {
            "type": "string",
            "description": "Names a post, so that a repetition stores nothing.",
        },
        **{name: TEXT | {"description": "Of a signed URL."} for name in ("URL-Signature", "URL-Expires")},
        **{
            name: {"type": ["string", "array"], "items": TEXT, "description": "Of a signed URL."}
            for name in ("URL-Methods", "URL-Paths")
        },
    },
}


def asyncapi_document(settings: Settings) -> dict[str, Any]:
    """Return the AsyncAPI 3 document of what is spoken over WebSocket as these settings serve it."""
    spoken = forms(settings)
    spoken[AUTHENTICATE.action or ""] = _AUTHENTICATE
    messages = {**_pushed(), _EVENT: _event()}
    for action, form in spoken.items():
        messages |= {action: _asked(action, form), _answer_to(action): _answer(form)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sukkal",
            "version": sukkal.__version__,
            "description": sukkal.__doc__,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": _channels(tuple(spoken)),
        "operations": _operations(tuple(spoken)),
        "components": {"messages": messages, "schemas": frame_components()},
    }


def asyncapi_page(settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    """Return the page that shows the document."""
    encoded = msgspec.json.encode(asyncapi_document(settings))

    async def page(request: Request) -> Response:
        return Response(200, encoded, (JSON,))

    return page


_EVENT: Final = "event"
_NOTIFICATION: Final = "notification"
_DELIVERY: Final = "delivery"
_AUTHENTICATE: Final = Form(an_object(), {"200": an_object("message", message=TEXT)})


def _answer_to(action: str) -> str:
    return f"{action}.answer"


def _channels(actions: tuple[str, ...]) -> dict[str, Any]:
    framed = [each for action in actions for each in (action, _answer_to(action))]
    channels: dict[str, Any] = {
        _FRAMES: {
            "address": "/v2",
            "description": f"Frames of Zaqar: each asks for something, and each is answered. Also at {_others()}.",
            "messages": _component_messages(*framed, _NOTIFICATION, _DELIVERY),
            "bindings": {"ws": {"method": "GET", "bindingVersion": _BINDING}},
        }
    }
    for name, kind in _EVENTS.items():
        channels[name] = {
            "address": f"/v2/{kind}/{{queue_name}}/events",
            "description": "CloudEvents in both directions; what cannot be posted ends the connection.",
            "parameters": {"queue_name": {"description": f"The name of one of the project's {kind}."}},
            "messages": _component_messages(_EVENT),
            "bindings": {"ws": _EVENTS_BINDING},
        }
    return channels


def _others() -> str:
    return " and ".join(f"`{path}`" for path in PATHS if path != "/v2")


_EVENTS_BINDING: Final[dict[str, Any]] = {
    "method": "GET",
    "headers": an_object(
        "Sec-WebSocket-Protocol",
        **{"Sec-WebSocket-Protocol": {"type": "string", "const": SUBPROTOCOL}},
    ),
    "query": an_object(
        since=TEXT | {"description": "The last position that was seen, to be told what came after it."},
        positions=FLAG | {"description": "Say with each event where it stands in the queue."},
        filter=TEXT | {"description": "Filters as JSON: only messages whose event passes."},
        sql=TEXT | {"description": "An expression: only messages for whose event it is true."},
    ),
    "bindingVersion": _BINDING,
}


def _component_messages(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _operations(actions: tuple[str, ...]) -> dict[str, Any]:
    found = {action: _asking(action) for action in actions}
    found[_NOTIFICATION] = _sending(_FRAMES, _NOTIFICATION, "Tell a connection that subscribed what was posted.")
    found[_DELIVERY] = _sending(_FRAMES, _DELIVERY, "Hand a connection that consumes a message, claimed for it.")
    for channel, kind in _EVENTS.items():
        one = kind.removesuffix("s")
        found[f"{channel}.told"] = _sending(channel, _EVENT, f"Tell what is posted to the {one}.")
        found[f"{channel}.post"] = {**_sending(channel, _EVENT, f"Post to the {one}."), "action": "receive"}
    return found


def _asking(action: str) -> dict[str, Any]:
    operation = AUTHENTICATE if action == AUTHENTICATE.action else ACTIONS[action].operation
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{_FRAMES}"},
        "summary": operation.summary,
        "tags": [{"name": operation.name.partition(".")[0]}],
        "messages": [{"$ref": f"#/channels/{_FRAMES}/messages/{action}"}],
        "reply": {
            "channel": {"$ref": f"#/channels/{_FRAMES}"},
            "messages": [{"$ref": f"#/channels/{_FRAMES}/messages/{_answer_to(action)}"}],
        },
    }


def _sending(channel: str, message: str, summary: str) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"}],
    }


def _asked(action: str, form: Form) -> dict[str, Any]:
    frame = an_object("action", action={"const": action}, headers=_HEADERS, body=form.body)
    if form.body.get("required"):
        frame["required"].append("body")
    return {"name": action, "payload": frame}


def _answer(form: Form) -> dict[str, Any]:
    """Return the answer: a good one, or a refusal with the status of the error."""
    good = [_answered({"const": int(status)}, body) for status, body in form.answers.items()]
    return {"payload": {"anyOf": [*good, _answered({"type": "integer", "minimum": 400}, ref("Error"))]}}


def _answered(status: Schema, body: Schema) -> Schema:
    headers = an_object("status", status=status)
    return an_object("request", "body", "headers", request={"type": "object"}, body=body, headers=headers)


def _pushed() -> dict[str, Any]:
    members: dict[str, Schema] = {
        "ttl": TTL,
        "body": ANY,
        "Message_Type": {"const": "Notification"},
        "queue_name": PATH_PARAMETERS["queue_name"],
    }
    told = {"delay": AGE | {"description": "Seconds until it can be claimed."}, "message_id": TEXT, "position": TEXT}
    names = ("message_id", "claim_id", "reply_to", "correlation_id", "traceparent", "tracestate")
    held = dict.fromkeys(names, TEXT)
    return {
        _NOTIFICATION: {
            "summary": "A message that was posted; with its id and position if the subscription asked for them.",
            "payload": an_object(*members, **members, **told),
        },
        _DELIVERY: {
            "summary": "A message that is claimed for the connection until it is deleted or released.",
            "payload": an_object(*members, "message_id", "claim_id", **members, **held),
        },
    }


def _event() -> dict[str, Any]:
    return {
        "contentType": "application/cloudevents+json",
        "summary": "A CloudEvent, one in each text frame.",
        "payload": an_object(
            *("specversion", "id", "source", "type"),
            specversion={"const": "1.0"},
            id={"type": "string", "minLength": 1},
            source={"type": "string", "format": "uri-reference", "minLength": 1},
            type={"type": "string", "minLength": 1},
            **{POSITION: TEXT | {"description": "Where it stands in the queue, if the client asked for positions."}},
        ),
    }

"""What oslo.messaging's messages look like in a queue: its own envelope, and in it what its other drivers put there."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from oslo_messaging._drivers import common
from oslo_serialization import jsonutils

__all__ = ["Reply", "Request", "pack_notification", "pack_reply", "pack_request", "unpack_reply", "unpack_request"]

_CONTEXT: Final = "_context_"
_CALL: Final = "_msg_id"
_REPLY_TO: Final = "_reply_q"
_MONITOR: Final = "_timeout"
_WAITS: Final = "_waits"
_QUEUE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_S_MAX: Final = 10**10


class Request(NamedTuple):
    """What was sent. ``call`` is ``None`` for what nobody waits for; a caller waits ``waits_s`` seconds for a reply.

    ``monitor_s`` is the seconds in which a caller wants to hear that its call is still worked on.
    """

    context: dict[str, Any]
    message: dict[str, Any]
    call: str | None = None
    reply_to: str | None = None
    monitor_s: float | None = None
    waits_s: float | None = None


class Reply(NamedTuple):
    """What a caller is told. Before the ``last`` there may be heartbeats, which only tell that it is worked on."""

    call: str
    result: Any
    failure: str | None
    last: bool


def pack_request(request: Request) -> Any:
    """Return the body of the message that carries a request."""
    raw = _with_context(request.message, request.context)
    if request.call is not None:
        raw |= {_CALL: request.call, _REPLY_TO: request.reply_to, _MONITOR: request.monitor_s, _WAITS: request.waits_s}
    return common.serialize_msg(raw)


def pack_notification(context: Mapping[str, Any], message: Mapping[str, Any], version: float) -> Any:
    """Return the body of the message that carries a notification, in an envelope from version 2 on."""
    raw = _with_context(message, context)
    return common.serialize_msg(raw) if version >= 2 else jsonutils.to_primitive(raw, convert_instances=True)


def unpack_request(body: Any) -> Request:
    """Return what was sent. Raises ``ValueError`` for what is none of oslo.messaging's messages."""
    raw = _opened(body)
    context = {name.removeprefix(_CONTEXT): raw.pop(name) for name in list(raw) if name.startswith(_CONTEXT)}
    call, reply_to = _text(raw, _CALL), _text(raw, _REPLY_TO)
    if reply_to is not None and not _QUEUE.fullmatch(reply_to):
        raise ValueError(f"{_REPLY_TO} is no name of a queue.")
    return Request(context, raw, call, reply_to, _seconds(raw, _MONITOR), _seconds(raw, _WAITS))


def pack_reply(reply: Reply) -> Any:
    """Return the body of the message that carries a reply."""
    return common.serialize_msg(
        {_CALL: reply.call, "result": reply.result, "failure": reply.failure, "ending": reply.last}
    )


def unpack_reply(body: Any) -> Reply:
    """Return a reply. Raises ``ValueError`` for what is none."""
    raw = _opened(body)
    if (call := _text(raw, _CALL)) is None:
        raise ValueError(f"A reply has a {_CALL}.")
    return Reply(call, raw.get("result"), _text(raw, "failure"), bool(raw.get("ending")))


def _with_context(message: Mapping[str, Any], context: Any) -> dict[str, Any]:
    values = context if isinstance(context, Mapping) else context.to_dict()
    return {**message, **{f"{_CONTEXT}{name}": value for name, value in values.items()}}


def _opened(body: Any) -> dict[str, Any]:
    try:
        raw = common.deserialize_msg(body)
    except Exception as error:  # Anybody may post anything, and what opens it raises whatever it likes.
        raise ValueError(f"It cannot be opened: {type(error).__name__}: {error}") from error
    if not isinstance(raw, dict):
        raise ValueError("It is no object.")
    return raw


def _text(raw: dict[str, Any], name: str) -> str | None:
    value = raw.pop(name, None)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is no text.")
    return value


def _seconds(raw: dict[str, Any], name: str) -> float | None:
    value = raw.pop(name, None)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _S_MAX:
        raise ValueError(f"{name} is no number of seconds.")
    return float(value)

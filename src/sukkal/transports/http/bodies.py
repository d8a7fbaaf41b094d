"""Reading the bodies of requests: strictly, and with an error that names what is wrong."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import InvalidBody, InvalidRequest
from sukkal.formats import cloudevents
from sukkal.service.events import NewEvent
from sukkal.service.incoming import Draft
from sukkal.transports.http.exchange import Request

__all__ = [
    "decode_call",
    "decode_drafts",
    "decode_events",
    "decode_json",
    "decode_object",
    "decode_raw",
    "optional_int",
    "whole_body",
]

_UNREADABLE: Final = "Request body could not be parsed."
_EMPTY: Final = "Request body can not be empty"
_NOT_OF_CALLS: Final = ("delay", "reply_to", "correlation_id")
_NO_MESSAGES: Final = "No messages were found in the request body."


class _MessageIn(msgspec.Struct, gc=False):
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    ttl: int | msgspec.UnsetType = msgspec.UNSET
    delay: int | msgspec.UnsetType = msgspec.UNSET
    reply_to: str | None = None
    correlation_id: str | None = None


class _PostIn(msgspec.Struct, gc=False):
    messages: list[_MessageIn] | msgspec.UnsetType = msgspec.UNSET


_post: Final = msgspec.json.Decoder(_PostIn)
_call: Final = msgspec.json.Decoder(_MessageIn)
_any: Final = msgspec.json.Decoder()
_several: Final = msgspec.json.Decoder(list[msgspec.Raw])


def whole_body(request: Request, *, most: int, refusal: str) -> bytes:
    """Return the body; ``refusal`` is what to say if it was too large to be read. Raises ``InvalidRequest``."""
    if request.body is None or len(request.body) > most:
        raise InvalidRequest(refusal)
    return request.body


def decode_json(body: bytes) -> Any:
    """Return any JSON document. Raises ``InvalidBody``."""
    if not body:
        raise InvalidBody(_EMPTY)
    try:
        document = _any.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidBody(f"{_UNREADABLE} {_reason(error)}") from None
    except RecursionError:
        raise InvalidBody(f"{_UNREADABLE} It is nested too deeply.") from None
    _check_document(document)
    return document


def decode_object(body: bytes) -> dict[str, Any]:
    """Return a JSON object. Raises ``InvalidBody``."""
    document = decode_json(body)
    if isinstance(document, dict):
        return document
    raise InvalidBody("Document type not supported." if isinstance(document, list) else _UNREADABLE)


def optional_int(document: Mapping[str, Any], name: str) -> int | None:
    """Return a member that is a whole number, or ``None`` if it is absent. Raises ``InvalidBody``."""
    if name not in document:
        return None
    value = document[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidBody(f'The value of the "{name}" field must be a int.')
    return value


def decode_drafts(body: bytes, *, modern: bool) -> list[Draft]:
    """Return the messages of a post, their bodies as they came. Raises ``InvalidBody``, ``InvalidRequest``."""
    if not body:
        raise InvalidBody(_EMPTY)
    try:
        # Bodies are passed on unread, so that they are UTF-8 has to be seen to here.
        if not body.isascii():
            body.decode("utf-8")
        messages = _post.decode(body).messages
    except RecursionError:
        raise InvalidBody(f"{_UNREADABLE} It is nested too deeply.") from None
    except msgspec.ValidationError as error:
        raise _wrong_post(body) or InvalidBody(f"{_UNREADABLE} {_reason(error)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidBody(f"{_UNREADABLE} {_reason(error)}") from None
    if messages is msgspec.UNSET:
        raise InvalidRequest(_NO_MESSAGES)
    return [_draft(message, modern=modern) for message in messages]


def decode_call(body: bytes) -> Draft:
    """Return the message of a call, its body as it came. Raises ``InvalidBody``."""
    document = decode_object(body)
    _check_members(document)
    for name in _NOT_OF_CALLS:
        if document.get(name) is not None:
            raise InvalidBody(f'A call cannot have "{name}": the service says where the reply goes, and waits for it.')
    return _draft(msgspec.structs.replace(_call.decode(body), delay=msgspec.UNSET), modern=True)


def decode_events(body: bytes) -> list[NewEvent]:
    """Return the events of a batch, as they came. Raises ``InvalidBody``, ``InvalidEvent``."""
    events = cloudevents.decode_batch(body)
    texts = _several.decode(body)
    return [NewEvent(event, bytes(text)) for event, text in zip(events, texts, strict=True)]


def decode_raw(body: bytes, *, ttl_s: int | None, delay_s: int | None) -> Draft:
    """Return the message that a whole body is. Raises ``InvalidBody``."""
    if not (stripped := body.strip()):
        raise InvalidBody(_EMPTY)
    try:
        if not stripped.isascii():
            stripped.decode("utf-8")
        _any.decode(stripped)
    except RecursionError:
        raise InvalidBody(f"{_UNREADABLE} It is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidBody(f"{_UNREADABLE} {_reason(error)} The whole body is one message and must be JSON.") from None
    return Draft(stripped, ttl_s, delay_s)


def _draft(message: _MessageIn, *, modern: bool) -> Draft:
    if message.body is msgspec.UNSET:
        raise InvalidBody('Missing "body" field.')
    ttl_s = None if message.ttl is msgspec.UNSET else message.ttl
    if not modern:
        return Draft(bytes(message.body), ttl_s)
    delay_s = None if message.delay is msgspec.UNSET else message.delay
    return Draft(bytes(message.body), ttl_s, delay_s, message.reply_to, message.correlation_id)


def _wrong_post(body: bytes) -> InvalidBody | InvalidRequest | None:
    """Return what is wrong with a post that is JSON but has not the right members."""
    document = decode_json(body)
    if not isinstance(document, dict):
        return InvalidRequest(_NO_MESSAGES) if isinstance(document, list) else InvalidBody(_UNREADABLE)
    messages = document.get("messages")
    if not isinstance(messages, list):
        return InvalidBody('Document type not supported. The field "messages" must be a list.')
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            return InvalidBody(f"Document type not supported. The field messages[{index}] must be an object.")
        if "body" not in message:
            return InvalidBody('Missing "body" field.')
        _check_members(message)
    return None


def _check_members(message: Mapping[str, Any]) -> None:
    """Refuse members of a message that are not of their kind. Raises ``InvalidBody``."""
    for name in ("ttl", "delay"):
        optional_int(message, name)
    for name in ("reply_to", "correlation_id"):
        if not isinstance(message.get(name), str | None):
            raise InvalidBody(f'The value of the "{name}" field must be a string.')


def _check_document(document: Any) -> None:
    """Refuse numbers and depths that other programs could not read back. Raises ``InvalidBody``."""
    level = [document]
    for _ in range(limits.JSON_DEPTH_MAX):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, int) and not limits.INT64_MIN <= value <= limits.INT64_MAX:
                raise InvalidBody("JSON contains integer that is too large. Integers must fit into 64 bits.")
        if not below:
            return
        level = below
    raise InvalidBody(f"{_UNREADABLE} It is nested too deeply: {limits.JSON_DEPTH_MAX} levels at most.")


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"It is not UTF-8 at byte {error.start}."
    return f"{error}."

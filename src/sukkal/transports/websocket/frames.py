"""Frames as they come and go: JSON in text, MessagePack in binary ones."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw
from websockets import frames

from sukkal import limits
from sukkal.errors import InvalidBody

__all__ = [
    "NOTHING",
    "Data",
    "Frame",
    "Headers",
    "Pushed",
    "Reply",
    "decode_frame",
    "encode",
    "encode_reply",
    "encode_text",
    "pushed",
]

Data = str | bytes
"""What one frame carries: text or binary."""


class Pushed(NamedTuple):
    """What many clients are sent: what the frame carries, and its bytes on the wire, the same for all."""

    data: Data
    wire: bytes


Headers = Mapping[str, str | list[str] | int | float | bool | None]

_SECRET: Final = frozenset(("authorization", "url-signature", "x-auth-token"))
_INVALID: Final = "Schema validation failed."
_members: Final = msgspec.json.Decoder(dict[str, Raw])
_headers: Final = msgspec.json.Decoder(dict[str, str | list[str] | int | float | bool | None])
_text: Final = msgspec.json.Decoder(str | None)
_encode: Final = msgspec.json.Encoder().encode
_NO_BODY: Final = (b"", b"null")


class Frame(msgspec.Struct, gc=False):
    """A frame that asks for something.

    ``body`` is JSON whatever the frame's encoding; ``members`` are those of the object that it is. ``given`` are the
    headers as they were sent, ``headers`` the same by their lower-case names; one that was sent twice counts as empty.
    """

    action: str | None
    body: bytes
    given: Headers
    headers: Mapping[str, str]
    members: Mapping[str, Raw] = {}

    def header(self, name: str) -> str | None:
        """Return a header by its lower-case name, or ``None``."""
        return self.headers.get(name)


class Reply(msgspec.Struct, gc=False):
    """An answer: a status, something to show, and what is said besides; ``then`` is called once it is on its way."""

    status: int
    body: object
    headers: Mapping[str, str | int] = {}
    then: Callable[[], None] | None = None


NOTHING: Final = Frame(None, b"{}", {}, {})
"""What is echoed of a frame that could not be read."""


class _Echo(msgspec.Struct):
    action: str | None
    body: Raw
    headers: Headers
    api: str = "v2"


class _Answer(msgspec.Struct):
    request: _Echo
    body: object
    headers: dict[str, str | int]


def decode_frame(data: Data) -> Frame:
    """Return what a frame asks for, its members unread. Raises ``InvalidBody``."""
    parts = _parts(_as_json(data))
    try:
        given = _headers.decode(parts.get("headers", Raw(b"{}")))
        action = _text.decode(parts.get("action", Raw(b"null")))
    except msgspec.DecodeError as error:
        raise InvalidBody(
            f"{_INVALID} A frame has an action (a string), headers (an object of strings) and a body: {error}."
        ) from None
    body = bytes(parts.get("body", b""))
    return Frame(action, b"{}" if body in _NO_BODY else body, given, _by_name(given))


def encode(document: object, *, binary: bool) -> Data:
    """Return a document as a frame."""
    return encode_text(_encode(document), binary=binary)


def encode_text(text: bytes, *, binary: bool) -> Data:
    """Return JSON text as a frame."""
    if binary:
        try:
            return msgspec.msgpack.encode(msgspec.json.decode(text))
        except (OverflowError, RecursionError, msgspec.DecodeError):
            pass  # What MessagePack has no form for, numbers beyond 64 bits, goes out as text rather than not at all.
    return text.decode("utf-8")


def pushed(data: Data) -> Pushed:
    """Return a frame ready to be sent to many."""
    if isinstance(data, bytes):
        return Pushed(data, frames.Frame(frames.Opcode.BINARY, data).serialize(mask=False))
    return Pushed(data, frames.Frame(frames.Opcode.TEXT, data.encode("utf-8")).serialize(mask=False))


def encode_reply(frame: Frame, reply: Reply, *, binary: bool) -> Data:
    """Return the answer to a frame, which repeats the frame without its secrets."""
    headers = {name: "" if name.lower() in _SECRET else value for name, value in frame.given.items()}
    echo = _Echo(frame.action, Raw(frame.body), headers)
    return encode(_Answer(echo, reply.body, {"status": reply.status, **reply.headers}), binary=binary)


def _as_json(data: Data) -> bytes:
    """Return a frame as JSON. Raises ``InvalidBody``."""
    if isinstance(data, str):
        return data.encode("utf-8")
    try:
        document = msgspec.msgpack.decode(data)
        _check_plain(document)
        return _encode(document)
    except RecursionError:
        raise InvalidBody("Can't decode binary (MessagePack) request. It is nested too deeply.") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise InvalidBody(f"Can't decode binary (MessagePack) request. {type(error).__name__}: {error}") from None


def _parts(text: bytes) -> Mapping[str, Raw]:
    try:
        return _members.decode(text)
    except RecursionError:
        raise InvalidBody("Can't decode text (JSON) request. It is nested too deeply.") from None
    except msgspec.ValidationError:
        raise InvalidBody("Unexpected body type. Expected dict or dict like.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidBody(f"Can't decode text (JSON) request. {type(error).__name__}: {error}") from None


def _check_plain(document: Any) -> None:
    """Refuse what has no form in JSON. Raises ``ValueError``."""
    level = [document]
    for _ in range(limits.JSON_DEPTH_MAX):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                if not all(isinstance(name, str) for name in value):
                    raise ValueError("the names in a map must be strings")
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, float) and not math.isfinite(value):
                raise ValueError("a number must be finite")
            elif not (value is None or isinstance(value, str | int | float)):
                raise ValueError("only maps, arrays, strings, numbers, booleans and nil have a form in JSON")
        if not below:
            return
        level = below
    raise ValueError(f"it is nested too deeply: {limits.JSON_DEPTH_MAX} levels at most")


def _by_name(given: Headers) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in given.items():
        if value is None:
            continue
        text = ",".join(value) if isinstance(value, list) else str(value)
        lower = name.lower()
        headers[lower] = "" if lower in headers else text
    return headers

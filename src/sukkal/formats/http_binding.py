"""CloudEvents over HTTP: which mode a message is in, and binary mode, where attributes travel as headers."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from sukkal.errors import InvalidBody, InvalidEvent, UnsupportedMediaType
from sukkal.format import Event
from sukkal.formats import cloudevents, documents
from sukkal.formats.attributes import ATTRIBUTES, SPECVERSION, event_of, is_json

__all__ = ["decode_binary", "decode_message", "encode_binary", "is_event"]

_PREFIX: Final = "ce-"
_JSON: Final = "application/json"
# Headers of HTTP's own that are attributes; their values are not percent-encoded.
_NAMED: Final = {"content-type": "datacontenttype"}
# All of printable ASCII but the quotation mark and the percent sign; letters and digits go without saying.
_PLAIN: Final = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_QUOTED_PAIR: Final = re.compile(r"\\(.)")
_TEXT_TYPE: Final = re.compile(
    r'(?:text/[^;]+|[^/;]+/(?:[^/;]+\+)?xml)(?:[ \t]*;[ \t]*charset="?(?:utf-8|us-ascii)"?)?[ \t]*', re.IGNORECASE
)

Headers = Iterable[tuple[str, str]]


def is_event(headers: Headers) -> bool:
    """Tell whether a message claims to be of CloudEvents, in any mode."""
    lower = {name.lower(): value for name, value in headers}
    return _media_type(lower).startswith("application/cloudevents") or _PREFIX + "specversion" in lower


def decode_message(headers: Headers, body: bytes) -> list[Event]:
    """Return the events of a message: one in structured and in binary mode, any number in a batch.

    Raises ``InvalidBody``, ``InvalidEvent``, and ``UnsupportedMediaType`` for events in another format than JSON.
    """
    pairs = list(headers)
    media_type = _media_type({name.lower(): value for name, value in pairs})
    if media_type == cloudevents.STRUCTURED_TYPE:
        return [cloudevents.decode(body)]
    if media_type == cloudevents.BATCH_TYPE:
        return cloudevents.decode_batch(body)
    if media_type.startswith("application/cloudevents"):
        known = f"{cloudevents.STRUCTURED_TYPE} and {cloudevents.BATCH_TYPE}"
        raise UnsupportedMediaType(f"Events are taken as {known}, or in binary mode.")
    return [decode_binary(pairs, body)]


def decode_binary(headers: Headers, body: bytes) -> Event:
    """Return the event of a message in binary mode. Raises ``InvalidEvent``, naming the attribute."""
    attributes: dict[str, str] = {}
    for sent, value in headers:
        header = sent.lower()
        if header == _PREFIX + "datacontenttype":
            raise InvalidEvent("datacontenttype is the header content-type.")
        if header == "content-type" or header.startswith(_PREFIX):
            name = _NAMED.get(header, header.removeprefix(_PREFIX))
            if name in attributes:
                raise InvalidEvent(f"{name} is there twice: one header {header} is enough.")
            attributes[name] = _value_of(header, value)
    return event_of(attributes, _data_of(attributes.get("datacontenttype"), body))


def encode_binary(event: Event) -> tuple[list[tuple[str, str]], bytes]:
    """Return the headers and the body of an event in binary mode.

    All values become text. Data of no length and no data are the same.
    """
    named = {name: value for name in ATTRIBUTES if (value := getattr(event, name)) is not None}
    named |= event.extensions
    datacontenttype = named.pop("datacontenttype", None)
    headers = [(_PREFIX + "specversion", SPECVERSION)]
    headers += [(_PREFIX + name, _header_of(value)) for name, value in named.items()]
    body = _body_of(event)
    if datacontenttype is None and body and not isinstance(event.data, bytes):
        datacontenttype = _JSON
    if datacontenttype is not None:
        headers.append(("content-type", datacontenttype))
    return headers, body


def _media_type(lower: dict[str, str]) -> str:
    return lower.get("content-type", "").partition(";")[0].strip().lower()


def _value_of(header: str, value: str) -> str:
    value = value.strip(" \t")
    if not value.isascii():
        raise InvalidEvent(f"The header {header} has characters beyond ASCII: percent-encode them, as UTF-8.")
    if header in _NAMED:
        return value
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = _QUOTED_PAIR.sub(r"\1", value[1:-1])
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeError:
        raise InvalidEvent(f"The header {header} is not percent-encoded UTF-8.") from None


def _header_of(value: str | int | bool) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return quote(text, safe=_PLAIN)


def _data_of(datacontenttype: str | None, body: bytes) -> object:
    if not body:
        return None
    try:
        if is_json(datacontenttype):
            return documents.decode(body)
        return body.decode() if _TEXT_TYPE.fullmatch(datacontenttype or "") else body
    except InvalidBody as error:
        # Where no type is given, JSON is only what it probably is.
        if datacontenttype is None:
            return body
        raise InvalidEvent(f"data is not of its datacontenttype. {error}") from None
    except UnicodeDecodeError:
        return body


def _body_of(event: Event) -> bytes:
    if event.data is None or isinstance(event.data, bytes):
        return event.data or b""
    return documents.encode(event.data) if is_json(event.datacontenttype) else event.data.encode()

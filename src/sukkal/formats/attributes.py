"""What the context attributes of a CloudEvent 1.0 may be called and may be."""

import re
from collections.abc import Mapping
from typing import Any, Final

from sukkal import limits
from sukkal.errors import InvalidEvent
from sukkal.format import AttributeValue, Event
from sukkal.formats.characters import NO_CHARACTERS
from sukkal.formats.times import instant

__all__ = ["ATTRIBUTES", "SPECVERSION", "event_of", "is_json", "is_string"]

SPECVERSION: Final = "1.0"
REQUIRED: Final = ("id", "source", "type")
ATTRIBUTES: Final = (*REQUIRED, "subject", "time", "datacontenttype", "dataschema")
"""The attributes that the specification defines, apart from the version; all others are extensions."""

_TEXTS: Final = frozenset({*ATTRIBUTES, "expirytime"})
_FORBIDDEN: Final = re.compile(f"[{NO_CHARACTERS}]")
_NAME: Final = re.compile(r"[a-z0-9]+")
_URI_REFERENCE: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*:)?"
    r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*"
    r"(?:#(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)?"
)
_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - a token of RFC 7230
_MEDIA_TYPE: Final = re.compile(rf'{_TOKEN}/{_TOKEN}(?:[ \t]*;[ \t]*{_TOKEN}=(?:{_TOKEN}|"[^"\\]*"))*')
_JSON_TYPE: Final = re.compile(r"[^/;]+/(?:[^/;]+\+)?json[ \t]*(?:;.*)?", re.IGNORECASE)


def is_string(value: object) -> bool:
    """Tell whether a value is a string that a required attribute can have."""
    return isinstance(value, str) and bool(value) and not _FORBIDDEN.search(value)


def is_json(datacontenttype: str | None) -> bool:
    """Tell whether data of this type is a JSON document, which it is also where no type is given."""
    return datacontenttype is None or _JSON_TYPE.fullmatch(datacontenttype) is not None


def event_of(attributes: Mapping[str, Any], data: Any) -> Event:
    """Return the event with these attributes and data. Raises ``InvalidEvent``, naming the attribute.

    An attribute that is ``None`` counts as absent.
    """
    for name in attributes:
        _refuse_name(name)
    given = {name: value for name, value in attributes.items() if value is not None}
    if given.pop("specversion", None) != SPECVERSION:
        raise InvalidEvent(f'specversion must be "{SPECVERSION}".')
    for name in REQUIRED:
        if name not in given:
            raise InvalidEvent(f"{name} is missing.")
    for name, value in given.items():
        _refuse_value(name, value)
    core = {name: given.pop(name) for name in ATTRIBUTES if name in given}
    _refuse_data(core.get("datacontenttype"), data)
    return Event(**core, extensions=given, data=data)


def _refuse_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name == "data":
        shown = name[:40].encode("unicode_escape").decode()
        raise InvalidEvent(f"{shown} cannot be the name of an attribute: lower-case letters and digits only.")


def _refuse_value(name: str, value: AttributeValue) -> None:
    if name not in _TEXTS and isinstance(value, bool):
        return
    if name not in _TEXTS and isinstance(value, int):
        if not -limits.EVENT_INTEGER_MAX - 1 <= value <= limits.EVENT_INTEGER_MAX:
            raise InvalidEvent(f"{name} is an integer of more than 32 bits; send it as a string.")
        return
    if not isinstance(value, str):
        wanted = "a string" if name in _TEXTS else "a string, an integer or a boolean"
        raise InvalidEvent(f"{name} must be {wanted}.")
    if _FORBIDDEN.search(value):
        raise InvalidEvent(f"{name} has a control character or a code point that is no character.")
    if name in ATTRIBUTES and not value:
        raise InvalidEvent(f"{name} must not be empty.")
    _refuse_syntax(name, value)


def _refuse_syntax(name: str, value: str) -> None:
    if name in ("source", "dataschema"):
        found = _URI_REFERENCE.fullmatch(value)
        if not found or (name == "dataschema" and not found["scheme"]):
            kind = "a URI-reference" if name == "source" else "an absolute URI"
            raise InvalidEvent(f"{name} must be {kind}; write other characters percent-encoded.")
    elif name in ("time", "expirytime") and instant(value) is None:
        raise InvalidEvent(f"{name} must be a timestamp of RFC 3339, such as 2026-01-31T09:30:00Z.")
    elif name == "datacontenttype" and not _MEDIA_TYPE.fullmatch(value):
        raise InvalidEvent("datacontenttype must be a media type, such as application/json.")


def _refuse_data(datacontenttype: str | None, data: Any) -> None:
    if not is_json(datacontenttype) and not (data is None or isinstance(data, str | bytes)):
        raise InvalidEvent("data must be a string, or data_base64 be used, as datacontenttype is not JSON.")

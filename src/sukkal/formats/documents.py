"""JSON text and documents, without loss: numbers keep every digit."""

import hashlib
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import InvalidBody
from sukkal.formats.characters import NO_CHARACTERS

__all__ = ["check_depth", "decode", "digest", "encode", "encode_ascii", "encode_printable", "is_same", "is_text"]

# A float would round 0.12345678901234567890 and cannot hold 1e400.
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_PASSING_DECODER: Final = msgspec.json.Decoder(msgspec.Raw)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_SORTING_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")
# What the decoder says of integers that Python does not read.
_TOO_LONG: Final = "Integer value out of range"
_CONTAINERS: Final = (dict, list)
_NOT_ASCII: Final = re.compile(r"[^ -~]")
# What the text of an attribute cannot have.
_NOT_PRINTABLE: Final = re.compile(f"[{NO_CHARACTERS}]")


def decode(text: bytes, *, levels: int = limits.EVENT_NESTING_MAX) -> Any:
    """Return the document of a JSON text that is nested so deeply at most. Raises ``InvalidBody``."""
    try:
        document = _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if _TOO_LONG in str(error):
            raise InvalidBody(f"The body has an integer of more than {limits.EVENT_DIGITS_MAX} digits.") from None
        raise InvalidBody(f"The body is not JSON in UTF-8: {error}.") from None
    except InvalidOperation:
        raise InvalidBody(
            f"The body has a number whose exponent has more than {limits.EVENT_EXPONENT_DIGITS_MAX} digits."
        ) from None
    except RecursionError:
        raise InvalidBody(_too_deep(levels)) from None
    check_depth(text, document, levels)
    return document


def check_depth(text: bytes, document: Any, levels: int) -> None:
    """Refuse the document of a text if it is nested more deeply. Raises ``InvalidBody``."""
    # Few brackets cannot be nested deeply, so that most texts are only counted.
    if text.count(b"[") + text.count(b"{") > levels and _depth(document) > levels:
        raise InvalidBody(_too_deep(levels))


def encode(document: Any) -> bytes:
    """Return the JSON text of a document."""
    return _ENCODER.encode(document)


def encode_ascii(document: Any) -> str:
    """Return the JSON text of a document in printable ASCII."""
    return _NOT_ASCII.sub(_escape, encode(document).decode())


def encode_printable(document: Any) -> str:
    """Return the JSON text of a document in characters that the text of an attribute can have."""
    return _NOT_PRINTABLE.sub(_escape, encode(document).decode())


def is_text(text: bytes) -> bool:
    """Tell whether bytes are a JSON text in UTF-8, also one that cannot be read."""
    try:
        text.decode()
        _PASSING_DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two documents are the same but for the order of members; 1, 1.0 and true are not."""
    return one is other or _SORTING_ENCODER.encode(one) == _SORTING_ENCODER.encode(other)


def digest(document: Any) -> str:
    """Return a digest that documents share only if they are the same but for the order of members."""
    return hashlib.sha256(_SORTING_ENCODER.encode(document)).hexdigest()


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _depth(document: Any) -> int:
    depth, level = 0, [document]
    # A tuple of types is looked at in half the time of their union.
    while containers := [each for each in level if isinstance(each, _CONTAINERS)]:
        depth += 1
        level = [value for each in containers for value in (each.values() if isinstance(each, dict) else each)]
    return depth


def _too_deep(levels: int) -> str:
    return f"The body is nested deeper than {levels} levels."

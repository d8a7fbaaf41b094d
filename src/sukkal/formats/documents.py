"""JSON text and documents, without loss: numbers keep every digit."""

import hashlib
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import InvalidBody

__all__ = ["decode", "digest", "encode", "encode_ascii", "is_same"]

# A float would round 0.12345678901234567890 and cannot hold 1e400.
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_SORTING_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")
_NOT_ASCII: Final = re.compile(r"[^ -~]")


def decode(text: bytes) -> Any:
    """Return the document of a JSON text. Raises ``InvalidBody``."""
    try:
        document = _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidBody(f"The body is not JSON in UTF-8: {error}.") from None
    except InvalidOperation:
        raise InvalidBody("The body has a number with too large an exponent.") from None
    except RecursionError:
        raise InvalidBody(_too_deep()) from None
    # Few brackets cannot be nested deeply, so that most texts are only counted.
    if text.count(b"[") + text.count(b"{") > limits.EVENT_NESTING_MAX and _depth(document) > limits.EVENT_NESTING_MAX:
        raise InvalidBody(_too_deep())
    return document


def encode(document: Any) -> bytes:
    """Return the JSON text of a document."""
    return _ENCODER.encode(document)


def encode_ascii(document: Any) -> str:
    """Return the JSON text of a document in printable ASCII."""
    return _NOT_ASCII.sub(_escape, encode(document).decode())


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
    while containers := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [value for each in containers for value in (each.values() if isinstance(each, dict) else each)]
    return depth


def _too_deep() -> str:
    return f"The body is nested deeper than {limits.EVENT_NESTING_MAX} levels."

"""How a value becomes one of another type, and what is said when it cannot."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from sukkal.filters.cesql.failures import Failure, Kind
from sukkal.filters.cesql.tree import INTEGER_MAX, INTEGER_MIN, Scalar, Type
from sukkal.filters.values import as_text, shown

__all__ = ["CASTS", "as_boolean", "as_integer", "as_string"]

_INTEGER: Final = re.compile(r"[+-]?0*[0-9]{1,10}")
# Nobody pads a number with more zeros, and a longer text costs time.
_INTEGER_CHARS_MAX: Final = 64
_TRUTHS: Final = {"true": True, "false": False}
_TRUTH_CHARS_MAX: Final = 5


def as_integer(value: Scalar) -> int:
    """Return the value as an integer of 32 bits. Raises ``Failure``."""
    if isinstance(value, int):
        return int(value)
    if len(value) <= _INTEGER_CHARS_MAX and _INTEGER.fullmatch(value):
        number = int(value)
        if INTEGER_MIN <= number <= INTEGER_MAX:
            return number
    raise Failure(Kind.CAST, f"{shown(value)} is no integer of 32 bits", 0)


def as_boolean(value: Scalar) -> bool:
    """Return the value as a boolean. Raises ``Failure``."""
    if isinstance(value, int):
        return value != 0
    truth = _TRUTHS.get(value.lower()) if len(value) <= _TRUTH_CHARS_MAX else None
    if truth is None:
        raise Failure(Kind.CAST, f"{shown(value)} is neither true nor false", False)
    return truth


def as_string(value: Scalar) -> str:
    """Return the value as a text."""
    return as_text(value)


CASTS: Final[Mapping[Type, Callable[[Scalar], Scalar]]] = {bool: as_boolean, int: as_integer, str: as_string}
"""The cast to each type."""

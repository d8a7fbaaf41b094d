"""The functions of the language."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from sukkal.filters.cesql.failures import Failure, Kind, Steps
from sukkal.filters.cesql.tree import INTEGER_MAX, INTEGER_MIN, Scalar, Type

__all__ = ["Function", "function_of", "problem_of_call"]

# All that Unicode calls white space, which is less than what str.strip takes for it.
_WHITE_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


class Function(msgspec.Struct, frozen=True):
    """A function for one number of arguments; with ``rest``, for any number from there on."""

    takes: tuple[Type, ...]
    yields: Type
    call: Callable[..., Scalar]
    rest: bool = False

    def type_of(self, place: int) -> Type:
        """Return what the argument at this place is cast to."""
        return self.takes[place] if place < len(self.takes) else str


def function_of(name: str, count: int) -> Function | None:
    """Return the function of this name that takes so many arguments."""
    for function in _FUNCTIONS.get(name, ()):
        if count == len(function.takes) or (function.rest and count > len(function.takes)):
            return function
    return None


def problem_of_call(name: str, count: int) -> str | None:
    """Return what is wrong with calling a function of this name with so many arguments."""
    if name not in _FUNCTIONS:
        return f"there is no function {name[:40]}; there are {', '.join(_FUNCTIONS)}"
    if function_of(name, count) is None:
        return f"{name} takes {' or '.join(map(_counted, _FUNCTIONS[name]))}, not {count}"
    return None


def _counted(function: Function) -> str:
    count = len(function.takes)
    return f"{count} argument{'' if count == 1 else 's'}{' or more' if function.rest else ''}"


def _concat(steps: Steps, *texts: str) -> str:
    steps.spend(sum(map(len, texts)))
    return "".join(texts)


def _concat_ws(steps: Steps, delimiter: str, *texts: str) -> str:
    steps.spend(sum(map(len, texts)) + len(delimiter) * len(texts))
    return delimiter.join(texts)


def _lower(steps: Steps, text: str) -> str:
    steps.spend(len(text))
    return text.lower()


def _upper(steps: Steps, text: str) -> str:
    steps.spend(len(text))
    return text.upper()


def _trim(steps: Steps, text: str) -> str:
    steps.spend(len(text))
    return text.strip(_WHITE_SPACE)


def _left(steps: Steps, text: str, count: int) -> str:
    if count < 0:
        raise Failure(Kind.FUNCTION, f"LEFT cannot return {count} characters", text)
    steps.spend(min(count, len(text)))
    return text[:count]


def _right(steps: Steps, text: str, count: int) -> str:
    if count < 0:
        raise Failure(Kind.FUNCTION, f"RIGHT cannot return {count} characters", text)
    steps.spend(min(count, len(text)))
    return text[max(len(text) - count, 0) :]


def _substring(steps: Steps, text: str, place: int, count: int = INTEGER_MAX) -> str:
    if not -len(text) <= place <= len(text):
        raise Failure(Kind.FUNCTION, f"SUBSTRING begins at {place} of a text of {len(text)} characters", "")
    if count < 0:
        raise Failure(Kind.FUNCTION, f"SUBSTRING cannot return {count} characters", "")
    if place == 0:
        return ""
    steps.spend(min(count, len(text)))
    start = place - 1 if place > 0 else len(text) + place
    return text[start : start + count]


def _abs(_: Steps, number: int) -> int:
    if number == INTEGER_MIN:
        raise Failure(Kind.MATH, f"ABS of {number} is no integer of 32 bits", INTEGER_MAX)
    return abs(number)


_FUNCTIONS: Final[Mapping[str, tuple[Function, ...]]] = {
    "ABS": (Function((int,), int, _abs),),
    "BOOL": (Function((bool,), bool, lambda _, truth: truth),),
    "CONCAT": (Function((), str, _concat, rest=True),),
    "CONCAT_WS": (Function((str,), str, _concat_ws, rest=True),),
    "INT": (Function((int,), int, lambda _, number: number),),
    "LEFT": (Function((str, int), str, _left),),
    "LENGTH": (Function((str,), int, lambda _, text: len(text)),),
    "LOWER": (Function((str,), str, _lower),),
    "RIGHT": (Function((str, int), str, _right),),
    "STRING": (Function((str,), str, lambda _, text: text),),
    "SUBSTRING": (Function((str, int), str, _substring), Function((str, int, int), str, _substring)),
    "TRIM": (Function((str,), str, _trim),),
    "UPPER": (Function((str,), str, _upper),),
}

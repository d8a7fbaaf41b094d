"""What the operators make of values that have the right type."""

import operator
from collections.abc import Callable, Collection, Mapping
from typing import Final

from sukkal.filters.cesql.casts import CASTS, as_boolean
from sukkal.filters.cesql.failures import Failure, Kind
from sukkal.filters.cesql.tree import INTEGER_MAX, INTEGER_MIN, Scalar, Type

__all__ = ["ARITHMETIC", "ORDERS", "Choices", "choices", "fitting", "is_among", "opposite"]


def fitting(number: int) -> int:
    """Return the number if it has 32 bits. Raises ``Failure``."""
    if INTEGER_MIN <= number <= INTEGER_MAX:
        return number
    raise Failure(Kind.MATH, f"the result {number} has more than 32 bits", 0)


def _quotient(left: int, right: int) -> int:
    if right == 0:
        raise Failure(Kind.MATH, f"{left} is divided by 0", 0)
    number = abs(left) // abs(right)
    return number if (left < 0) == (right < 0) else -number


def _remainder(left: int, right: int) -> int:
    return left - right * _quotient(left, right)


ARITHMETIC: Final[Mapping[str, Callable[[int, int], int]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _quotient,
    "%": _remainder,
}

ORDERS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def opposite(value: Scalar) -> bool:
    """Return the opposite of the value. Raises ``Failure``, whose own value is the opposite of false.

    Integers are no booleans here, though ``BOOL`` takes them: the conformance kit has it so.
    """
    if value.__class__ is int:
        raise Failure(Kind.CAST, f"NOT takes booleans, and {value} is an integer", True)
    try:
        return not as_boolean(value)
    except Failure as failure:
        raise Failure(failure.kind, failure.problem, True) from None


Choices = tuple[Collection[Scalar], str | None]
"""The items of a list, cast to one type, and why one of them could not be."""


def choices(items: Collection[Scalar], kind: Type) -> Choices:
    """Return the items as values of the type."""
    cast, problem = CASTS[kind], None
    found = set()
    for item in items:
        try:
            found.add(cast(item))
        except Failure as failure:
            problem = problem or failure.problem
    return found, problem


def is_among(value: Scalar, found: Choices) -> bool:
    """Tell whether the value is one of the items. Raises ``Failure`` if it is none and one could not be cast."""
    values, problem = found
    if value in values:
        return True
    if problem:
        raise Failure(Kind.CAST, problem)
    return False

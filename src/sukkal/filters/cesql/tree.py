"""The parts of an expression, and the type of what each yields."""

from typing import Final

import msgspec

__all__ = [
    "INTEGER_MAX",
    "INTEGER_MIN",
    "ZERO",
    "Arithmetic",
    "Attribute",
    "Call",
    "Comparison",
    "Constant",
    "Exists",
    "In",
    "Like",
    "Logic",
    "Negative",
    "Node",
    "Not",
    "Scalar",
    "Type",
    "parts_of",
    "size_of",
]

Scalar = bool | int | str
"""What an expression yields."""

Type = type[bool] | type[int] | type[str]

ZERO: Final[dict[Type, Scalar]] = {bool: False, int: 0, str: ""}
"""What stands for the result of each type when there is an error."""

INTEGER_MIN: Final = -(2**31)
INTEGER_MAX: Final = 2**31 - 1


class Constant(msgspec.Struct, frozen=True):
    """A value that is written in the expression."""

    value: Scalar


class Attribute(msgspec.Struct, frozen=True):
    """The value of an attribute of the event."""

    name: str


class Exists(msgspec.Struct, frozen=True):
    """Whether the event has the attribute."""

    name: str


class Not(msgspec.Struct, frozen=True):
    """The opposite of a boolean."""

    operand: "Node"


class Negative(msgspec.Struct, frozen=True):
    """An integer with the other sign."""

    operand: "Node"


class Logic(msgspec.Struct, frozen=True):
    """Two or more booleans, joined by AND, OR or XOR; they are looked at from the left, as far as it takes."""

    operator: str
    operands: "tuple[Node, ...]"


class Arithmetic(msgspec.Struct, frozen=True):
    """A calculation with two integers: + - * / or %."""

    operator: str
    left: "Node"
    right: "Node"


class Comparison(msgspec.Struct, frozen=True):
    """A comparison of two values: = and != go by the type of the right one, < <= > and >= take integers."""

    operator: str
    left: "Node"
    right: "Node"


class Like(msgspec.Struct, frozen=True):
    """Whether a text has the shape of the pattern, or ``negated``, has not."""

    operand: "Node"
    pattern: str
    negated: bool = False


class In(msgspec.Struct, frozen=True):
    """Whether a value is one of the items, or ``negated``, is none of them."""

    operand: "Node"
    items: "tuple[Node, ...]"
    negated: bool = False


class Call(msgspec.Struct, frozen=True):
    """What a function makes of its arguments; the name is in upper case."""

    name: str
    arguments: "tuple[Node, ...]"


Node = Constant | Attribute | Exists | Not | Negative | Logic | Arithmetic | Comparison | Like | In | Call


def parts_of(node: Node) -> tuple[Node, ...]:
    """Return the expressions that this one is made of, in the order in which they are looked at."""
    match node:
        case Not(operand) | Negative(operand) | Like(operand):
            return (operand,)
        case Logic(_, operands):
            return operands
        case Arithmetic(_, left, right) | Comparison(_, left, right):
            return (left, right)
        case In(operand, items):
            return (operand, *items)
        case Call(_, arguments):
            return arguments
        case _:
            return ()


def size_of(node: Node) -> int:
    """Return of how many parts the expression is made, itself among them."""
    return 1 + sum(map(size_of, parts_of(node)))

"""An expression as text, with the parentheses that it needs to be read as it is."""

import re
from typing import Final

from sukkal.filters.cesql.tree import (
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Constant,
    Exists,
    In,
    Like,
    Logic,
    Negative,
    Node,
    Not,
)

__all__ = ["beginnings", "printed"]

# How closely each kind binds; what stands inside of one that binds closer needs parentheses.
_LOGIC, _COMPARISON, _SUM, _PRODUCT, _SHAPE, _PREFIX = range(1, 7)
_PRODUCTS: Final = frozenset({"*", "/", "%"})


def printed(node: Node) -> str:
    """Return a text that is read as this expression."""
    return beginnings(node, None)[id(node)]


def beginnings(node: Node, chars_max: int | None) -> dict[int, str]:
    """Return the texts of an expression and of all its parts, by identity, of each so many characters."""
    printer = _Printer(chars_max)
    printer.text(node, _LOGIC)
    return printer.found


class _Printer:
    """Makes the text of each part once, of those of its own parts. What is cut off of these would be cut off of it."""

    def __init__(self, chars_max: int | None) -> None:
        self.found: dict[int, str] = {}
        self._chars_max = chars_max

    def text(self, node: Node, binding: int) -> str:
        """Return the text of a part as it stands inside of something that binds so closely."""
        text, binds = self._text(node)
        text = self.found[id(node)] = text[: self._chars_max]
        return text if binds >= binding else f"({text})"

    def _text(self, node: Node) -> tuple[str, int]:
        """Return the text without parentheses around it, and how closely it binds."""
        match node:
            case Constant(value):
                return (_quoted(value) if isinstance(value, str) else str(value).upper()), _PREFIX
            case Attribute(name):
                return name, _PREFIX
            case Exists(name):
                return f"EXISTS {name}", _PREFIX
            case Not(operand):
                return f"NOT {self.text(operand, _PREFIX)}", _PREFIX
            case Negative(operand):
                return f"- {self.text(operand, _PREFIX)}", _PREFIX
            case Call(name, arguments):
                return f"{name}({self._listed(arguments)})", _PREFIX
            case Like(operand, pattern, negated):
                return f"{self.text(operand, _SHAPE)} {'NOT ' * negated}LIKE {_quoted(pattern)}", _SHAPE
            case In(operand, items, negated):
                return f"{self.text(operand, _SHAPE)} {'NOT ' * negated}IN ({self._listed(items)})", _SHAPE
            case Logic(word, operands):
                # Also where a row within it needs no parentheses: few know how AND and OR bind here.
                return f" {word} ".join([self.text(operand, _COMPARISON) for operand in operands]), _LOGIC
            case Comparison(sign, left, right):
                return self._pair(sign, left, right, _COMPARISON)
            case Arithmetic(sign, left, right):
                return self._pair(sign, left, right, _PRODUCT if sign in _PRODUCTS else _SUM)

    def _pair(self, sign: str, left: Node, right: Node, binds: int) -> tuple[str, int]:
        return f"{self.text(left, binds)} {sign} {self.text(right, binds + 1)}", binds

    def _listed(self, nodes: tuple[Node, ...]) -> str:
        return ", ".join([self.text(node, _LOGIC) for node in nodes])


def _quoted(text: str) -> str:
    quotes = "\"'" if "'" in text and '"' not in text else "'\""
    for quote in quotes:
        if (written := _in_quotes(text, quote)) is not None:
            return written
    raise ValueError(f"{text!r} cannot be written as a text of the language")


def _in_quotes(text: str, quote: str) -> str | None:
    """Return the text in these quotes, or nothing if it cannot stand in them: a backslash takes along what follows."""
    pieces = re.compile(rf"\\.?|{quote}", re.DOTALL)
    if not {"\\", "\\" + quote}.isdisjoint(pieces.findall(text)):
        return None
    return quote + pieces.sub(lambda piece: "\\" + quote if piece[0] == quote else piece[0], text) + quote

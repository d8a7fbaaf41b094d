"""An expression as text, with the parentheses that it needs to be read as it is."""

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

__all__ = ["printed"]

# How closely each kind binds; what stands inside of one that binds closer needs parentheses.
_LOGIC, _COMPARISON, _SUM, _PRODUCT, _SHAPE, _PREFIX = range(1, 7)
_PRODUCTS: Final = frozenset({"*", "/", "%"})


def printed(node: Node) -> str:
    """Return a text that is read as this expression."""
    return _printed(node, _LOGIC)


def _printed(node: Node, binding: int) -> str:
    text, binds = _text(node)
    return text if binds >= binding else f"({text})"


def _text(node: Node) -> tuple[str, int]:
    """Return the text without parentheses around it, and how closely it binds."""
    match node:
        case Constant(value):
            return (_quoted(value) if isinstance(value, str) else str(value).upper()), _PREFIX
        case Attribute(name):
            return name, _PREFIX
        case Exists(name):
            return f"EXISTS {name}", _PREFIX
        case Not(operand):
            return f"NOT {_printed(operand, _PREFIX)}", _PREFIX
        case Negative(operand):
            return f"- {_printed(operand, _PREFIX)}", _PREFIX
        case Call(name, arguments):
            return f"{name}({_listed(arguments)})", _PREFIX
        case Like(operand, pattern, negated):
            return f"{_printed(operand, _SHAPE)} {'NOT ' * negated}LIKE {_quoted(pattern)}", _SHAPE
        case In(operand, items, negated):
            return f"{_printed(operand, _SHAPE)} {'NOT ' * negated}IN ({_listed(items)})", _SHAPE
        case Logic(word, operands):
            # Also where a row within it needs no parentheses: few know how AND and OR bind here.
            return f" {word} ".join(_printed(operand, _COMPARISON) for operand in operands), _LOGIC
        case Comparison(sign, left, right):
            return _pair(sign, left, right, _COMPARISON)
        case Arithmetic(sign, left, right):
            return _pair(sign, left, right, _PRODUCT if sign in _PRODUCTS else _SUM)


def _pair(sign: str, left: Node, right: Node, binds: int) -> tuple[str, int]:
    return f"{_printed(left, binds)} {sign} {_printed(right, binds + 1)}", binds


def _listed(nodes: tuple[Node, ...]) -> str:
    return ", ".join(map(printed, nodes))


def _quoted(text: str) -> str:
    quotes = "\"'" if "'" in text and '"' not in text else "'\""
    for quote in quotes:
        if (written := _in_quotes(text, quote)) is not None:
            return written
    raise ValueError(f"{text!r} cannot be written as a text of the language")


def _in_quotes(text: str, quote: str) -> str | None:
    """Return the text in these quotes, or nothing if it cannot stand in them: a backslash takes along what follows."""
    written, place = quote, 0
    while place < len(text):
        piece = text[place : place + 2] if text[place] == "\\" else text[place]
        if piece in ("\\", "\\" + quote):
            return None
        written += "\\" + quote if piece == quote else piece
        place += len(piece)
    return written + quote

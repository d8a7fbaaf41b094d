"""An expression's text as words, numbers, quoted texts and signs, each with its place."""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from sukkal.filters.cesql.failures import BadExpression
from sukkal.filters.values import shown

__all__ = ["KEYWORDS", "Token", "tokens_of"]

KEYWORDS: Final = frozenset({"AND", "OR", "XOR", "NOT", "LIKE", "EXISTS", "IN", "TRUE", "FALSE"})

_TOKEN: Final = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<word>[A-Za-z0-9_]+)
    | (?P<quoted>'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*")
    | (?P<sign><>|<=|>=|!=|[-+*/%=<>(),])
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of the text. ``text`` of a keyword is in upper case, that of a quoted text what the quotes enclose."""

    kind: Literal["keyword", "name", "number", "quoted", "sign", "end"]
    text: str
    at: int
    end: int


def tokens_of(text: str) -> Iterator[Token]:
    """Yield the pieces of the text, and an end. Raises ``BadExpression``."""
    start = 0
    while start < len(text):
        found = _TOKEN.match(text, start)
        if found is None:
            raise BadExpression(_unreadable(text[start]), start + 1)
        start = found.end()
        if found.lastgroup != "space":
            yield _token(found)
    yield Token("end", "", len(text) + 1, len(text) + 1)


def _token(found: re.Match[str]) -> Token:
    at, end = found.start() + 1, found.end() + 1
    text = found[0]
    if found.lastgroup == "quoted":
        return Token("quoted", _enclosed(text), at, end)
    if found.lastgroup == "sign":
        return Token("sign", "!=" if text == "<>" else text, at, end)
    if text.upper() in KEYWORDS:
        return Token("keyword", text.upper(), at, end)
    return Token("number" if text.isdigit() else "name", text, at, end)


def _enclosed(text: str) -> str:
    """Return what a quoted text stands for: only its own quote is escaped; other backslashes stay, for patterns."""
    quote = text[0]
    return re.sub(r"\\(.)", lambda pair: quote if pair[1] == quote else pair[0], text[1:-1], flags=re.DOTALL)


def _unreadable(character: str) -> str:
    if character in "'\"":
        return "the text that begins here has no closing quote"
    return f"{shown(character)} is no part of the language"

"""Patterns of LIKE, matched in a time that grows linearly with the text.

What lies between two ``%`` is a piece. The first and the last piece have fixed places; each other one is looked for
from the left, and its first place is always the best, so nothing is ever tried twice.
"""

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

import msgspec

from sukkal.filters.cesql.failures import Steps

__all__ = ["Matcher", "matcher_of"]

Matcher = Callable[[str, Steps], bool]
"""Tells whether a text has the shape. Raises ``Failure`` when that takes too many steps."""

_SYMBOL: Final = re.compile(r"\\[%_]|.", re.DOTALL)
# What a character costs where it is looked at by itself and not by a search of the standard library, and what it
# costs to compare a text between two wildcards.
_SLOW_STEPS: Final = 16
_RUN_STEPS: Final = 8


class _Piece(msgspec.Struct, frozen=True):
    """Some characters; ``None`` stands for any."""

    symbols: tuple[str | None, ...]

    @property
    def literal(self) -> str | None:
        """The text that the piece is, if it has no wildcard."""
        return None if None in self.symbols else "".join(symbol for symbol in self.symbols if symbol)

    def test(self) -> Callable[[str, int, Steps], bool]:
        """Return what tells whether the piece is in a text at a place, which has room for it."""
        runs = list(self._runs())
        cost = _RUN_STEPS * len(runs)

        def at(text: str, start: int, steps: Steps) -> bool:
            steps.spend(cost)
            for place, run in runs:  # noqa: SIM110  a generator costs as much as a comparison
                if not text.startswith(run, start + place):
                    return False
            return True

        return at

    def _runs(self) -> Iterator[tuple[int, str]]:
        """Yield the texts that no wildcard interrupts, each with its place."""
        place = 0
        for literal, symbols in groupby(self.symbols, lambda symbol: symbol is not None):
            run = list(symbols)
            if literal:
                yield place, "".join(symbol for symbol in run if symbol)
            place += len(run)


def matcher_of(pattern: str) -> Matcher:
    """Return what matches texts with the pattern: ``%`` is any characters, ``_`` is one, a backslash escapes both."""
    pieces = _pieces(pattern)
    if len(pieces) == 1:
        return _whole(pieces[0])
    if len(pieces) == 2:
        return _ends(pieces[0], pieces[1])
    return _many(pieces)


def _pieces(pattern: str) -> list[_Piece]:
    pieces: list[list[str | None]] = [[]]
    for symbol in _SYMBOL.findall(pattern):
        if symbol == "%":
            pieces.append([])
        else:
            pieces[-1].append(None if symbol == "_" else symbol[-1])
    ends = pieces[-1:] if len(pieces) > 1 else []
    return [_Piece(tuple(piece)) for piece in [pieces[0], *filter(None, pieces[1:-1]), *ends]]


def _whole(piece: _Piece) -> Matcher:
    literal, size = piece.literal, len(piece.symbols)
    if literal is not None:
        return lambda text, _: text == literal
    at = piece.test()
    return lambda text, steps: len(text) == size and at(text, 0, steps)


def _ends(first: _Piece, last: _Piece) -> Matcher:
    start, end, size = first.literal, last.literal, len(first.symbols) + len(last.symbols)
    if start is not None and end is not None:
        return lambda text, _: len(text) >= size and text.startswith(start) and text.endswith(end)
    begins, ends, behind = first.test(), last.test(), len(last.symbols)
    return lambda text, steps: len(text) >= size and begins(text, 0, steps) and ends(text, len(text) - behind, steps)


def _many(pieces: list[_Piece]) -> Matcher:
    ends = _ends(pieces[0], pieces[-1])
    first, last = len(pieces[0].symbols), len(pieces[-1].symbols)
    searches = [_search(piece) for piece in pieces[1:-1]]

    def matches(text: str, steps: Steps) -> bool:
        steps.spend(len(text))
        if not ends(text, steps):
            return False
        start, stop = first, len(text) - last
        for search in searches:
            start = search(text, start, stop, steps)
            if start < 0:
                return False
        return True

    return matches


def _search(piece: _Piece) -> Callable[[str, int, int, Steps], int]:
    """Return what finds the piece between two places of a text, and returns where it ends, or -1."""
    literal, size = piece.literal, len(piece.symbols)
    if literal is None:
        return _search_with_wildcards(piece)

    def search(text: str, start: int, stop: int, _: Steps) -> int:
        found = text.find(literal, start, stop)
        return -1 if found < 0 else found + size

    return search


def _search_with_wildcards(piece: _Piece) -> Callable[[str, int, int, Steps], int]:
    """Keep, as bits, all beginnings of the piece that end at the present character; that costs a shift and a mask."""
    anything = sum(1 << place for place, symbol in enumerate(piece.symbols) if symbol is None)
    masks = {symbol: anything for symbol in piece.symbols if symbol is not None}
    for place, symbol in enumerate(piece.symbols):
        if symbol is not None:
            masks[symbol] |= 1 << place
    whole = 1 << (len(piece.symbols) - 1)
    step = _SLOW_STEPS + len(piece.symbols) // 64

    def search(text: str, start: int, stop: int, steps: Steps) -> int:
        begun = 0
        for place in range(start, stop):
            if (place - start) % 64 == 0:
                steps.spend(step * 64)
            begun = (begun << 1 | 1) & masks.get(text[place], anything)
            if begun & whole:
                return place + 1
        return -1

    return search

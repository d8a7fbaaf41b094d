"""Words, as SQLite's full-text search tells them from each other: so all indexes find the same."""

from collections.abc import Iterable
from typing import Any, Final

import apsw

__all__ = ["lexeme", "side_by_side", "words_of"]

_LEXEME_CHARS_MAX: Final = 400
"""The server takes lexemes of less than 2 KiB, with what stands in front."""

_tokens: Final = apsw.Connection(":memory:").fts5_tokenizer("unicode61", ["remove_diacritics", "2"])


def words_of(text: str) -> list[str]:
    """Return the words of a text in their order, without what tells upper from lower case and without accents."""
    found: Any = _tokens(text.encode(), apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False)
    return [word for (word,) in found]


def side_by_side(words: Iterable[str], *, prefix: bool = False) -> str:
    """Return words as they stand in a text, between two blanks; with ``prefix`` the last one may go on."""
    joined = " ".join(words)
    return f" {joined}" if prefix else f" {joined} "


def lexeme(word: str) -> tuple[str, bool]:
    """Return what stands for a word in the index, and whether that is the whole of it."""
    return word[:_LEXEME_CHARS_MAX], len(word) <= _LEXEME_CHARS_MAX

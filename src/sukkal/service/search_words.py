"""The language of searches: ``word "a phrase" begin* -not``."""

import re
from typing import Final

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.search import Term

__all__ = ["read_words"]

_BLANKS: Final = re.compile(r"\s*")
# Matches at anything but a blank.
_TERM: Final = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)(?P<end>"?)(?P<star>\*?)|(?P<word>[^\s"]\S*))')


def read_words(text: str, *, field: str = "q") -> tuple[Term, ...]:
    """Return the terms of a text. Raises ``InvalidRequest``, naming the character where what is wrong begins."""
    if len(text) > limits.SEARCH_QUERY_CHARS_MAX:
        raise InvalidRequest(f"{field} may have at most {limits.SEARCH_QUERY_CHARS_MAX} characters.")
    found: list[Term] = []
    at = _behind_blanks(text, 0)
    while match := _TERM.match(text, at):
        if len(found) == limits.SEARCH_TERMS_MAX:
            raise _refused(field, at, f"there may be at most {limits.SEARCH_TERMS_MAX} words and phrases")
        found.append(_term(match, field))
        at = _behind_blanks(text, match.end())
    return tuple(found)


def _behind_blanks(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return blanks.end() if blanks else at


def _term(match: re.Match[str], field: str) -> Term:
    at, word, prefix = match.start(), match["word"], match["star"] == "*"
    if word is None:
        if not match["end"]:
            raise _refused(field, at, "the phrase has no closing quote")
        word = match["phrase"]
    elif word.endswith("*"):
        word, prefix = word[:-1], True
    if not word.isprintable():
        raise _refused(field, at, "there is a control character")
    if not _counting(word):
        raise _refused(field, at, "a word has at least one letter or digit")
    if prefix and _counting(word.split()[-1]) < limits.SEARCH_PREFIX_CHARS_MIN:
        raise _refused(field, at, f"at least {limits.SEARCH_PREFIX_CHARS_MIN} letters or digits stand before a star")
    return Term(word, prefix=prefix, negative=match["minus"] == "-")


def _counting(text: str) -> int:
    """Return how many letters and digits there are, which is what words are made of."""
    return sum(each.isalnum() for each in text)


def _refused(field: str, at: int, why: str) -> InvalidRequest:
    return InvalidRequest(f'{field}, character {at + 1}: {why}. It takes words, "phrases", beginnings* and -not.')

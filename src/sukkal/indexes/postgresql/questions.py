"""What an entry is found by, and questions as the server takes them.

Nothing that a caller wrote stands in a question but words, which have letters and digits alone. In front of each word
and tag there is an @, in the place of which the server sets the block that it looks at.
"""

from collections.abc import Iterator, Sequence

import msgspec

from sukkal.indexes.postgresql.words import lexeme, side_by_side, words_of
from sukkal.indexes.tags import asked_tags, tags
from sukkal.search import Asked, Document, Term

__all__ = ["Findable", "Question", "findable", "question"]


class Findable(msgspec.Struct, frozen=True):
    """What is kept of a document for finding it: tokens, each once, and its words in their order."""

    tokens: str
    text: str


class Question(msgspec.Struct, frozen=True):
    """A question of the index of words, and what has to stand in the text or must not."""

    query: str
    needed: list[str]
    unwanted: list[str]


def findable(document: Document) -> Findable:
    """Return what a document is found by."""
    words = words_of(document.text)
    tokens = [f"@={tag}" for tag in tags(document)]
    tokens += [f"@.{lexeme(word)[0]}" for word in dict.fromkeys(words)]
    return Findable(" ".join(tokens), side_by_side(words))


def question(asked: Asked) -> Question | None:
    """Return what is asked for, apart from the time; ``None`` if nothing can have it."""
    parts = [f"'@={tag}'" for tag in asked_tags(asked)]
    needed: list[str] = []
    unwanted: list[str] = []
    for term in dict.fromkeys(asked.terms):
        words = words_of(term.text)
        if not words:
            if not term.negative:
                return None
            continue
        # The index knows neither where words stand nor all of a very long one.
        told = len(words) == 1 and lexeme(words[0])[1]
        if term.negative and told:
            parts += [f"!{each}" for each in _lexemes(term, words)]
        elif not term.negative:
            parts += _lexemes(term, words)
        if not told:
            (unwanted if term.negative else needed).append(side_by_side(words, prefix=term.prefix))
    return Question(" & ".join(parts), needed, unwanted)


def _lexemes(term: Term, words: Sequence[str]) -> Iterator[str]:
    for number, word in enumerate(words, start=1):
        yield f"'@.{lexeme(word)[0]}'" + (":*" if term.prefix and number == len(words) else "")

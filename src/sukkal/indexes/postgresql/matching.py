"""Questions asked of documents that are not kept. They mean what the statements of the index mean."""

from collections.abc import Sequence

from sukkal.indexes.postgresql.words import side_by_side, words_of
from sukkal.indexes.tags import asked_tags, tags
from sukkal.search import Asked, Document, Term

__all__ = ["Matching"]


class Matching:
    """The documents at hand, for one use."""

    def __init__(self) -> None:
        self._documents: list[tuple[Document, frozenset[str], str]] = []

    def add(self, document: Document) -> None:
        """Take in a document."""
        self._documents.append((document, frozenset(tags(document)), side_by_side(words_of(document.text))))

    def found(self, asked: Asked) -> list[int]:
        """Return the numbers of the documents that a question finds."""
        wanted = frozenset(asked_tags(asked))
        terms = [(_text(term), term.negative) for term in dict.fromkeys(asked.terms)]
        return [
            number
            for number, (document, has, text) in enumerate(self._documents)
            if wanted <= has
            and (asked.since_ms is None or document.posted_ms >= asked.since_ms)
            and all((said is not None and said in text) is not negative for said, negative in terms)
        ]


def _text(term: Term) -> str | None:
    words: Sequence[str] = words_of(term.text)
    return side_by_side(words, prefix=term.prefix) if words else None

"""Questions asked of documents that are not kept, by the same full-text search."""

from collections.abc import Sequence

import apsw

from sukkal.indexes.sqlite_fts.expressions import expression, tags
from sukkal.indexes.sqlite_fts.statements import MATCHING
from sukkal.search import Asked, Document

__all__ = ["Matching"]


class Matching:
    """A full-text index of the documents at hand, emptied after each use."""

    def __init__(self) -> None:
        self._connection = apsw.Connection(":memory:", statementcachesize=16)
        self._connection.execute(MATCHING.create)

    def matches(self, documents: Sequence[Document], asked: Sequence[Asked]) -> list[list[int]]:
        """Return the numbers of the documents that each question finds."""
        connection = self._connection
        rows = [(number, tags(document), document.text) for number, document in enumerate(documents)]
        connection.executemany(MATCHING.add, rows)
        try:
            return [self._found(question, documents) for question in asked]
        finally:
            connection.execute(MATCHING.clear)

    def _found(self, asked: Asked, documents: Sequence[Document]) -> list[int]:
        numbers = [number for (number,) in self._connection.execute(MATCHING.find, (expression(asked),))]
        since_ms = asked.since_ms
        return [number for number in numbers if since_ms is None or documents[number].posted_ms >= since_ms]

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

"""Questions asked of documents that are not kept, by the same full-text search."""

from collections.abc import Callable, Sequence

import apsw

from sukkal import limits
from sukkal.indexes.sqlite_fts.deadlines import Deadline
from sukkal.indexes.sqlite_fts.expressions import expression
from sukkal.indexes.sqlite_fts.statements import MATCHING
from sukkal.indexes.tags import tags
from sukkal.search import Asked, Document

__all__ = ["Matching"]


class Matching:
    """A full-text index in memory of the documents at hand, for one use. Used by one thread at a time."""

    def __init__(self, documents: Sequence[Document], elapsed_s: Callable[[], float]) -> None:
        self._documents = documents
        self._connection = apsw.Connection(":memory:", statementcachesize=16)
        self._deadline = Deadline(elapsed_s)
        self._deadline.watch(self._connection)

    def begin(self) -> None:
        """Take in the documents."""
        self._connection.execute(MATCHING.create)
        rows = [(number, " ".join(tags(document)), document.text) for number, document in enumerate(self._documents)]
        with self._connection:
            self._connection.executemany(MATCHING.add, rows)

    def found(self, asked: Asked) -> list[int] | None:
        """Return the numbers of the documents that a question finds, ``None`` if that takes too long."""
        try:
            with self._deadline.within(limits.SEARCH_MATCHING_S_MAX):
                numbers = [number for (number,) in self._connection.execute(MATCHING.find, (expression(asked),))]
        except apsw.InterruptError:
            return None
        since_ms = asked.since_ms
        return [number for number in numbers if since_ms is None or self._documents[number].posted_ms >= since_ms]

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

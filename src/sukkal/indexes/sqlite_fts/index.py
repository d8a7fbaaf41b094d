"""The index: each call is one transaction on one project's file, or one read of it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from sukkal import limits
from sukkal.indexes.sqlite_fts import catalogue, finding, removing, writing
from sukkal.indexes.sqlite_fts.failures import our_errors
from sukkal.indexes.sqlite_fts.library import Library
from sukkal.indexes.sqlite_fts.matching import Matching
from sukkal.indexes.sqlite_fts.threads import Threads
from sukkal.model import QueueKey
from sukkal.search import Asked, Document, Facets, Hits, SearchIndex, Shelf, TypeSeen

__all__ = ["SqliteIndex"]


class SqliteIndex(SearchIndex):
    """Keeps a file for each project in a directory, or all in memory without one. See ``sukkal.search.SearchIndex``.

    Nothing is opened before it is needed: an index that cannot be opened keeps nobody from starting. ``elapsed_s``
    counts seconds from any beginning.
    """

    def __init__(self, directory: Path | None, *, bytes_max: int, elapsed_s: Callable[[], float]) -> None:
        self._bytes_max = bytes_max
        self._elapsed_s = elapsed_s
        self._threads = Threads()
        self._library = Library(directory, self._threads, elapsed_s)
        self._swept = ""

    async def put(self, project: str, documents: Sequence[Document], *, now_ms: int) -> int:
        """Keep documents with the resources that they tell of."""
        step = partial(writing.put, documents=documents, now_ms=now_ms, bytes_max=self._bytes_max)
        async with self._library.book(project) as book:
            return await book.write(step)

    async def find(
        self, shelf: Shelf, project: str, asked: Asked, *, before: int | None, limit: int, deleted: bool = False
    ) -> Hits:
        """Return a page of matches."""
        step = partial(finding.find, shelf=shelf, asked=asked, before=before, limit=limit, deleted=deleted)
        async with self._library.present(project) as book:
            return await book.read(step, seconds=limits.SEARCH_S_MAX) if book is not None else Hits(())

    async def facets(
        self, shelf: Shelf, project: str, asked: Asked, names: Sequence[str], *, deleted: bool = False
    ) -> Facets:
        """Count the matches by some of their values."""
        step = partial(finding.facets, shelf=shelf, asked=asked, names=names, deleted=deleted)
        async with self._library.present(project) as book:
            if book is None:
                return Facets(dict.fromkeys(names, ()), complete=True)
            return await book.read(step, seconds=limits.SEARCH_S_MAX)

    async def types(self, project: str, *, after: str, limit: int) -> tuple[TypeSeen, ...]:
        """Return a page of types."""
        step = partial(catalogue.list_types, after=after, limit=limit)
        async with self._library.present(project) as book:
            return await book.read(step, seconds=limits.SEARCH_S_MAX) if book is not None else ()

    async def matches(self, documents: Sequence[Document], asked: Sequence[Asked]) -> list[list[int] | None]:
        """Return which documents each question finds.

        Each question is a piece of work of its own, so that whoever comes meanwhile waits for one, not for all.
        """
        crew, matching = self._threads.matching, Matching(documents, self._elapsed_s)
        try:
            with our_errors("of a batch"):
                await crew.do(matching.begin)
                return [await crew.do(partial(matching.found, question)) for question in asked]
        finally:
            await crew.do(matching.close)

    async def drop_queue(self, key: QueueKey, *, now_ms: int) -> None:
        """Let nothing be found any more that was posted to a queue before now."""
        async with self._library.book(key.project) as book:
            await book.write(partial(writing.drop_queue, name=key.name, kind=key.kind, now_ms=now_ms))

    async def drop_project(self, project: str) -> None:
        """Forget all of a project."""
        await self._library.burn(project)

    async def sweep(self, *, before_ms: int, limit: int) -> int:
        """Remove what is no longer wanted, of some projects in each round."""
        step = partial(removing.sweep, before_ms=before_ms, bytes_max=self._bytes_max, limit=limit)
        names = self._library.names()
        behind = [name for name in names if name > self._swept] or names
        removed = 0
        for name in behind[: limits.SEARCH_BOOKS_SWEPT_AT_ONCE]:
            self._swept = name
            async with self._library.named(name) as book:
                removed += await book.write(step)
                await book.remove_if_empty()
        return removed

    async def close(self) -> None:
        """Finish what was begun and close all files."""
        await self._library.close()
        self._threads.close()

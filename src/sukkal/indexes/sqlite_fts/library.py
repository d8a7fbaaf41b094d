"""The indexes of all projects, of which those in use and some more are open."""

import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from sukkal import limits
from sukkal.indexes.sqlite_fts.book import Book
from sukkal.indexes.sqlite_fts.handle import remove
from sukkal.indexes.sqlite_fts.threads import Threads

__all__ = ["Library"]

_SUFFIX: Final = ".sqlite3"


class Library:
    """Gives out books; ``directory`` is ``None`` if they are kept in memory."""

    def __init__(self, directory: Path | None, threads: Threads, elapsed_s: Callable[[], float]) -> None:
        self._directory = directory
        self._threads = threads
        self._elapsed_s = elapsed_s
        self._books: OrderedDict[str, Book] = OrderedDict()

    @contextlib.asynccontextmanager
    async def book(self, project: str) -> AsyncIterator[Book]:
        """Give out a project's book, which may not exist on disk yet."""
        async with self._given(_name(project), project) as book:
            yield book

    @contextlib.asynccontextmanager
    async def present(self, project: str) -> AsyncIterator[Book | None]:
        """Give out a project's book if it has one."""
        name = _name(project)
        path = self._path(name)
        there = name in self._books if path is None else path.exists()
        if not there:
            yield None
            return
        async with self._given(name, project) as book:
            yield book

    @contextlib.asynccontextmanager
    async def named(self, name: str) -> AsyncIterator[Book]:
        """Give out one of ``names`` for what nobody waits for: that makes it no later to be closed."""
        async with self._given(name, "", in_use=False) as book:
            yield book

    def names(self) -> list[str]:
        """Return what all books there are are called."""
        if self._directory is None:
            return sorted(self._books)
        return sorted(path.name.removesuffix(_SUFFIX) for path in self._directory.glob("*" + _SUFFIX))

    async def burn(self, project: str) -> None:
        """Delete a project's book."""
        book = self._books.pop(_name(project), None)
        if book is not None:
            await book.close()
        if (path := self._path(_name(project))) is not None:
            remove(path)

    async def close(self) -> None:
        """Close all books."""
        for book in self._books.values():
            await book.close()
        self._books.clear()

    @contextlib.asynccontextmanager
    async def _given(self, name: str, project: str, *, in_use: bool = True) -> AsyncIterator[Book]:
        book = self._books.get(name)
        if book is None:
            book = self._books[name] = Book(self._path(name), project, self._threads, self._elapsed_s)
            self._books.move_to_end(name, last=False)
        if in_use:
            self._books.move_to_end(name)
        book.users += 1
        try:
            yield book
        finally:
            book.users -= 1
            await self._close_some()

    def _path(self, name: str) -> Path | None:
        return None if self._directory is None else self._directory / (name + _SUFFIX)

    async def _close_some(self) -> None:
        """Close those that were not used for long; those in memory would be lost."""
        while self._directory is not None and len(self._books) > limits.SEARCH_BOOKS_OPEN_MAX:
            name = next((name for name, book in self._books.items() if not book.users), None)
            if name is None:
                return
            await self._books.pop(name).close()


def _name(project: str) -> str:
    # Whatever a project is called, this is the name of a file.
    return hashlib.blake2b(project.encode(), digest_size=16).hexdigest()

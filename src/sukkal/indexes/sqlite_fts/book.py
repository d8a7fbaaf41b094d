"""One project's index: steps on it that succeed as a whole or not at all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import apsw

from sukkal import limits
from sukkal.errors import Unavailable
from sukkal.indexes.sqlite_fts import removing
from sukkal.indexes.sqlite_fts.failures import our_errors
from sukkal.indexes.sqlite_fts.handle import Handle, remove
from sukkal.indexes.sqlite_fts.statements import SQL
from sukkal.indexes.sqlite_fts.threads import Crew, Threads

__all__ = ["Book"]

T = TypeVar("T")


class Book:
    """The index of one project; ``path`` is ``None`` for one in memory.

    One step at a time writes and one reads, each in a thread. ``users`` counts those who have it in hand.
    """

    def __init__(self, path: Path | None, project: str, threads: Threads, elapsed_s: Callable[[], float]) -> None:
        self.path = path
        self._project = project
        self._threads = threads
        self._writer = Handle(path, elapsed_s, makes=True)
        self._writing = asyncio.Lock()
        # In memory there is only one connection, which one thread at a time may use.
        self._reader = self._writer if path is None else Handle(path, elapsed_s, makes=False)
        self._reading = self._writing if path is None else asyncio.Lock()
        self.users = 0

    async def write(self, step: Callable[[apsw.Connection], T]) -> T:
        """Make a step within a transaction. Raises ``Unavailable``."""

        def work(connection: apsw.Connection) -> T:
            connection.execute(SQL.begin)
            try:
                result = step(connection)
                connection.execute(SQL.commit)
            except BaseException:
                if connection.in_transaction:
                    connection.execute(SQL.rollback)
                raise
            return result

        async with self._writing:
            return await self._in_thread(self._threads.writing, self._writer, work)

    async def read(self, step: Callable[[apsw.Connection], T], *, seconds: float) -> T:
        """Make a step that only reads, and break it off when it takes longer: raises ``InvalidRequest`` then.

        Waiting for its turn is not counted. Raises ``Unavailable`` when that takes too long.
        """
        if self.users > limits.SEARCH_WAITING_MAX:
            raise Unavailable("Too many searches of the project wait for each other. Make fewer of them at once.")

        def work(connection: apsw.Connection) -> T:
            with self._reader.deadline.within(seconds):
                return step(connection)

        async with self._turn():
            return await self._in_thread(self._threads.reading, self._reader, work)

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as held:
            try:
                async with asyncio.timeout(limits.SEARCH_WAIT_S):
                    await held.enter_async_context(self._reading)
                    await held.enter_async_context(self._threads.reading.place())
            except TimeoutError:
                raise Unavailable("Too many searches are made just now. Please try again in a few seconds.") from None
            yield

    async def remove_if_empty(self) -> None:
        """Delete the file if nothing is in it. Whoever comes then finds none, or makes it anew."""

        def work(connection: apsw.Connection) -> None:
            if self.path is not None and removing.is_empty(connection):
                self._writer.close()
                remove(self.path)

        # Nothing is written meanwhile, so nothing is lost that comes after the look.
        async with self._writing:
            await self._in_thread(self._threads.writing, self._writer, work)

    async def close(self) -> None:
        """Let go of the file."""
        async with self._writing:
            await self._threads.writing.do(self._writer.close)
        async with self._reading:
            await self._threads.writing.do(self._reader.close)

    async def _in_thread(self, crew: Crew, handle: Handle, work: Callable[[apsw.Connection], T]) -> T:
        def guarded() -> T:
            try:
                with our_errors(str(self.path or "in memory")):
                    return work(handle.connection(self._project))
            except Unavailable:
                if self.path is not None:
                    handle.close()
                raise

        return await crew.do(guarded)

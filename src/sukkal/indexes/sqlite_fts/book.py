"""One project's index: steps on it that succeed as a whole or not at all."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

import apsw

from sukkal import limits
from sukkal.errors import Unavailable
from sukkal.indexes.sqlite_fts.failures import our_errors
from sukkal.indexes.sqlite_fts.handle import Handle
from sukkal.indexes.sqlite_fts.statements import SQL

__all__ = ["Book"]

T = TypeVar("T")


class Book:
    """The index of one project; ``path`` is ``None`` for one in memory.

    One step at a time writes and one reads, each in a thread. ``users`` counts those who have it in hand.
    """

    def __init__(self, path: Path | None, project: str, executor: Executor) -> None:
        self.path = path
        self._project = project
        self._executor = executor
        self._writer = Handle(path, makes=True)
        self._writing = asyncio.Lock()
        # In memory there is only one connection, which one thread at a time may use.
        self._reader = self._writer if path is None else Handle(path, makes=False)
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
            return await self._in_thread(self._writer, work)

    async def read(self, step: Callable[[apsw.Connection], T], *, seconds: float) -> T:
        """Make a step that only reads, and break it off when it takes longer: raises ``InvalidRequest`` then."""
        if self.users > limits.SEARCH_WAITING_MAX:
            raise Unavailable("Too many searches of the project wait for each other. Make fewer of them at once.")
        async with self._reading:
            alarm = asyncio.get_running_loop().call_later(seconds, self._reader.break_off)
            try:
                return await self._in_thread(self._reader, step)
            finally:
                alarm.cancel()
                self._reader.go_on()

    async def close(self) -> None:
        """Let go of the file."""
        async with self._writing:
            await self._run(self._writer.close)
        async with self._reading:
            await self._run(self._reader.close)

    async def _in_thread(self, handle: Handle, work: Callable[[apsw.Connection], T]) -> T:
        def guarded() -> T:
            try:
                with our_errors(str(self.path or "in memory")):
                    return work(handle.connection(self._project))
            except Unavailable:
                if self.path is not None:
                    handle.close()
                raise

        return await self._run(guarded)

    async def _run(self, work: Callable[[], T]) -> T:
        doing = asyncio.get_running_loop().run_in_executor(self._executor, work)
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            # The thread goes on with the connection, so nobody else may have it before.
            await asyncio.wait((doing,))
            raise

"""A few connections, opened when they are needed, and anew when they were lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from sukkal.errors import Unavailable
from sukkal.postgresql import FAILURES, UNFIT, Connection, Database

__all__ = ["Connections", "Tables"]


class Tables:
    """The database with the tables of the index, which are made before the first use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ready = False
        self._making = asyncio.Lock()

    async def connect(self, **settings: str) -> Connection:
        """Return a new connection. Raises ``StartupError`` or what connections raise."""
        async with self._making:
            if not self._ready:
                await self._database.migrate()
                self._ready = True
        return await self._database.connect(**settings)


class Connections:
    """So many connections with the same settings, of which each user takes the one that was used last."""

    def __init__(self, tables: Tables, count: int, **settings: str) -> None:
        self._tables = tables
        self._settings = settings
        self._count = count
        self._free = asyncio.Semaphore(count)
        self._idle: list[Connection] = []
        self._closed = False

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        """Give out a connection. One on which something went wrong is not given out again."""
        async with self._free:
            if self._closed:
                raise Unavailable("The index is closed.")
            connection = await self._take()
            try:
                yield connection
            except UNFIT:
                self._idle.append(connection)
                raise
            except BaseException:
                connection.terminate()
                raise
            self._idle.append(connection)

    async def close(self) -> None:
        """Wait until those in use are given back, and close all."""
        self._closed = True
        for _ in range(self._count):
            await self._free.acquire()
        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.close(timeout=5)
            except FAILURES:
                connection.terminate()
        for _ in range(self._count):
            self._free.release()

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return await self._tables.connect(**self._settings)

"""A few connections, opened when they are needed, and anew when they were lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import asyncpg

from sukkal.errors import Unavailable
from sukkal.postgresql import FAILURES, UNFIT, Connection, Database

__all__ = ["Connections", "Tables"]

_MAKING_S_MAX: Final = 3_600.0


class Tables:
    """The database with the tables of the index, which are made before the first use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._making: asyncio.Future[None] | None = None
        self._closed = False

    @property
    def answer_s(self) -> float:
        """How long to wait for what a statement gives."""
        return self._database.answer_s

    async def connect(self, **settings: str) -> Connection:
        """Return a new connection. Raises ``StartupError`` or what connections raise."""
        await self._make()
        return await self._database.connect(**settings)

    async def connect_patiently(self, **settings: str) -> Connection:
        """Return a new connection that waits for answers as long as it takes."""
        await self._make()
        return await self._database.connect_patiently(**settings)

    async def close(self) -> None:
        """Wait no longer for tables that are still being made."""
        self._closed = True
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait((self._making,))

    async def _make(self) -> None:
        """Have the tables made once, also if whoever asks for it gets tired of waiting."""
        if self._closed and self._making is None:
            raise Unavailable("The index is closed.")
        making = self._making = self._making or asyncio.ensure_future(self._migrate())
        if not making.done():
            await asyncio.wait((making,), timeout=self.answer_s)
        if not making.done():
            raise TimeoutError("making the tables does not end")
        if making.cancelled():
            raise Unavailable("The index is closed.")
        if making.exception() is not None and self._making is making:
            self._making = None
        making.result()

    async def _migrate(self) -> None:
        async with asyncio.timeout(_MAKING_S_MAX):
            await self._database.migrate()


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

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Return all rows of a query."""
        async with self.one() as connection:
            return await connection.fetch(sql, *arguments)

    def renew(self) -> None:
        """Give up the connections that are idle now."""
        while self._idle:
            self._idle.pop().terminate()

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

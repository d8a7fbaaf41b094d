"""Reads: each is one statement, so it sees one committed state, and all that had returned before it began."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import asyncpg

from sukkal.engines.postgresql.database import Connection, Database
from sukkal.engines.postgresql.failures import FAILURES, UNFIT, is_away, moved, our_error
from sukkal.errors import StoreUnavailable, SukkalError

__all__ = ["Fetching", "Gathering", "Reads"]

K = TypeVar("K")
V = TypeVar("V")


class Fetching(Protocol):
    """What runs queries."""

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Return all rows of a query."""


class Reads:
    """A few connections that read, of which each statement takes the one that was used last."""

    def __init__(self, database: Database, *, count: int) -> None:
        self._database = database
        self._free = asyncio.Semaphore(count)
        self._idle: deque[Connection] = deque()
        self._half_open: deque[asyncio.Future[Connection]] = deque()
        self._open: set[Connection] = set()
        self._closed = False
        self._outages = 0

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Return all rows of a query."""
        outages = self._outages
        async with self._free:
            if self._closed:
                raise StoreUnavailable("The store is closed.")
            if outages != self._outages:
                # The server has gone while this one waited. Nobody waits for it twice.
                raise StoreUnavailable("The store does not answer. Please try again in a few seconds.")
            connection: Connection | None = None
            try:
                connection = await self._take()
                rows = await connection.fetch(sql, *arguments)
            except UNFIT as error:
                if connection is not None:
                    self._idle.append(connection)
                raise our_error(error) from error
            except FAILURES as error:
                refused = moved(error)
                if refused is not None and connection is not None:
                    self._idle.append(connection)
                    raise refused from error
                self._drop(connection)
                self._outages += is_away(error)
                raise our_error(error) from error
            except BaseException:
                # Whoever waited has gone away in the middle of it.
                self._drop(connection)
                raise
            self._idle.append(connection)
            return rows

    def renew(self) -> None:
        """Give up the connections that are idle now."""
        while self._idle:
            self._drop(self._idle.pop())

    async def close(self) -> None:
        """Close the connections."""
        self._closed = True
        for connection in tuple(self._open):
            self._open.discard(connection)
            try:
                await connection.close(timeout=5)
            except FAILURES:
                connection.terminate()
        self._idle.clear()

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._open.discard(connection)
        # Whoever waits may go away; what is half open then is of use to the next one, and counts as one of them.
        opening = self._half_open.popleft() if self._half_open else asyncio.ensure_future(self._database.connect())
        try:
            connection = await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._half_open.append(opening)
            opening.add_done_callback(self._keep)
            raise
        self._open.add(connection)
        return connection

    def _keep(self, opening: "asyncio.Future[Connection]") -> None:
        if opening not in self._half_open:
            return  # Somebody waits for it again.
        self._half_open.remove(opening)
        if opening.cancelled() or opening.exception() is not None:
            return
        connection = opening.result()
        if self._closed:
            connection.terminate()
            return
        self._open.add(connection)
        self._idle.append(connection)

    def _drop(self, connection: Connection | None) -> None:
        if connection is not None:
            self._open.discard(connection)
            connection.terminate()


class Gathering(Generic[K, V]):
    """Looks things up together: all that are asked for while a statement runs are in the next one, each once."""

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._load = load
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._task: asyncio.Task[None] | None = None

    def find(self, name: K) -> "asyncio.Future[V | None]":
        """Return what is under a name, if anything is."""
        future: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, []).append(future)
        if self._task is None:
            self._task = asyncio.ensure_future(self._work())
        return future

    async def finish(self) -> None:
        """Wait until nobody waits."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def _work(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)
                asked, self._waiting = self._waiting, {}
                await self._answer(asked)
        finally:
            self._task = None

    async def _answer(self, asked: "Mapping[K, list[asyncio.Future[V | None]]]") -> None:
        try:
            found = await self._load(list(asked))
        except Exception as error:  # noqa: BLE001 - nobody may hang
            told = error if isinstance(error, SukkalError) else our_error(error)
            for futures in asked.values():
                for future in futures:
                    if not future.done():
                        future.set_exception(told)
            return
        for name, futures in asked.items():
            for future in futures:
                if not future.done():
                    future.set_result(found.get(name))

"""Whose turn it is: each project has one connection at a time, so that none keeps the others waiting."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from sukkal import limits
from sukkal.errors import Unavailable
from sukkal.indexes.postgresql.connections import Connections
from sukkal.postgresql import Connection

__all__ = ["Turns"]


class _Line:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class Turns:
    """Gives each project its turn, in the order of coming."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @contextlib.asynccontextmanager
    async def of(self, project: str) -> AsyncIterator[None]:
        """Wait for the project's turn."""
        async with self._in_line(project) as lock, lock:
            yield

    @contextlib.asynccontextmanager
    async def soon(self, project: str, connections: Connections) -> AsyncIterator[Connection]:
        """Wait for the project's turn and for a connection, but not for long. Raises ``Unavailable``."""
        async with contextlib.AsyncExitStack() as held:
            lock = await held.enter_async_context(self._in_line(project))
            if self._lines[project].users > limits.SEARCH_WAITING_MAX:
                raise Unavailable("Too many searches of the project wait for each other. Make fewer of them at once.")
            waiting = asyncio.timeout(limits.SEARCH_WAIT_S)
            try:
                async with waiting:
                    await held.enter_async_context(lock)
                    connection = await held.enter_async_context(connections.one())
            except TimeoutError:
                if not waiting.expired():
                    raise  # The server did not answer in time.
                raise Unavailable("Too many searches are made just now. Please try again in a few seconds.") from None
            yield connection

    @contextlib.asynccontextmanager
    async def _in_line(self, project: str) -> AsyncIterator[asyncio.Lock]:
        line = self._lines.setdefault(project, _Line())
        line.users += 1
        try:
            yield line.lock
        finally:
            line.users -= 1
            if not line.users:
                del self._lines[project]

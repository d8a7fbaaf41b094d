"""Commits that take too long: whoever waits is told, and the connection is kept for as long as the server is at it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import asyncpg

from sukkal.errors import SukkalError
from sukkal.postgresql.database import Connection, fetch_one
from sukkal.postgresql.failures import FAILURES
from sukkal.postgresql.schema import SETUP

__all__ = ["Asking", "Overdue", "Patient"]

_log: Final = logging.getLogger("sukkal.postgresql")

_LOOK_S: Final = 1.0
_SLOW_S: Final = 0.05
"""Most statements take a few milliseconds, with the commit."""


class Patient(Protocol):
    """Where connections come from that wait for answers as long as it takes."""

    @property
    def answer_s(self) -> float:
        """How long to wait until an answer is overdue."""

    async def connect_patiently(self, **settings: str) -> Connection:
        """Return a new connection."""


class Asking(Protocol):
    """The other connections to the same server."""

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Return all rows of a query, on one of them."""

    def renew(self) -> None:
        """Give up those that are idle now."""


class Overdue:
    """Watches what is done on one connection. It is true while that is overdue.

    An answer may also fail to come because the connection leads nowhere any more. So the server is asked on another
    one: if it is not at it, or is a new server that knows nothing of it, the connection is given up.
    """

    def __init__(self, database: Patient, reads: Asking, tell: Callable[[], None], **settings: str) -> None:
        self._database = database
        self._reads = reads
        self._tell = tell
        self._settings = settings
        self._name: tuple[Any, ...] = ()
        self._connection: Connection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.slow = False
        """Whether what is done takes longer than most."""
        self._asking: asyncio.Task[None] | None = None
        self._closed = False

    def __bool__(self) -> bool:
        return self._asking is not None

    async def connect(self) -> Connection:
        """Return a new connection to be watched."""
        connection = await self._database.connect_patiently(**self._settings)
        try:
            async with asyncio.timeout(self._database.answer_s):
                self._name = await fetch_one(connection, SETUP.own_name)
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection
        return connection

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Tell it when what is done meanwhile takes too long."""
        self._timer = asyncio.get_running_loop().call_later(_SLOW_S, self._notice)
        try:
            yield
        finally:
            self._timer.cancel()
            self.slow = False
            if self._asking is not None:
                self._asking.cancel()
                self._asking = None

    def close(self) -> None:
        """Wait for nothing that is overdue, now and from now on."""
        self._closed = True
        if self._asking is not None:
            self._give_up()

    def _notice(self) -> None:
        self.slow = True
        self._timer = asyncio.get_running_loop().call_later(self._database.answer_s - _SLOW_S, self._begin)

    def _begin(self) -> None:
        self._asking = asyncio.ensure_future(self._ask())
        self._tell()
        if self._closed:
            self._give_up()

    async def _ask(self) -> None:
        # The others may lead nowhere as well, and each would have to be waited for.
        self._reads.renew()
        while True:
            if not await self._is_at_it():
                _log.warning("a connection leads nowhere any more")
                self._give_up()
                return
            await asyncio.sleep(_LOOK_S)

    async def _is_at_it(self) -> bool:
        try:
            [(at_it,)] = await self._reads.fetch(SETUP.is_at_it, *self._name)
        except (SukkalError, *FAILURES):
            return True  # Whoever does not answer may be at it still.
        return bool(at_it)

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()

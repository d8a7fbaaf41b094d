"""Hints between the nodes of one database: which queues others have put something into.

One connection says and hears them, by NOTIFY. They are said after the commit and apart from it: a transaction that
notifies holds a lock of the whole server while it commits, and hints are not worth that. What is said while one is on
its way goes with the next.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Final

import msgspec

from sukkal.engines.postgresql.database import Connection, Database
from sukkal.engines.postgresql.failures import FAILURES
from sukkal.engines.postgresql.statements import SQL
from sukkal.model import QueueKey

__all__ = ["Hints"]

_log: Final = logging.getLogger("sukkal.postgresql")

_CHANNEL: Final = "sukkal"
_PAYLOAD_BYTES_MAX: Final = 7_900
_AGAIN_S: Final = 1.0
_KEYS: Final = msgspec.json.Decoder(list[QueueKey] | None)

Told = Callable[[Collection[QueueKey] | None], None]


class Hints:
    """Tells what other nodes have put where, and lets them know what this one has. See ``sukkal.store.Hinting``."""

    def __init__(self, database: Database, tell: Told) -> None:
        self._database = database
        self._tell = tell
        self._news: set[QueueKey] = set()
        self._some = asyncio.Event()
        self._own_pid = 0
        self._task = asyncio.ensure_future(self._work())

    def note(self, keys: Collection[QueueKey]) -> None:
        """Let the other nodes know that something was put into queues."""
        self._news.update(keys)
        self._some.set()

    async def close(self) -> None:
        """Say and hear nothing any more."""
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _work(self) -> None:
        while True:
            try:
                await self._say_and_hear()
            except FAILURES as error:
                _log.warning("hints from other nodes are interrupted: %s", str(error) or type(error).__name__)
            await asyncio.sleep(_AGAIN_S)

    async def _say_and_hear(self) -> None:
        # What it says has nothing to lose, so it need not wait for the disk.
        connection = await self._database.connect(synchronous_commit="off")
        try:
            connection.add_termination_listener(lambda _: self._some.set())
            self._own_pid = connection.get_server_pid()
            await connection.add_listener(_CHANNEL, self._hear)
            # Nobody knows what was said before.
            self._tell(None)
            while not connection.is_closed():
                self._some.clear()
                await self._say(connection)
                await self._some.wait()
        finally:
            connection.terminate()

    async def _say(self, connection: Connection) -> None:
        while self._news:
            news, self._news = self._news, set()
            payload = msgspec.json.encode(sorted(news))
            if len(payload) > _PAYLOAD_BYTES_MAX:
                payload = b"null"
            await connection.execute(SQL.notify, payload.decode("utf-8"))

    def _hear(self, connection: object, pid: int, channel: str, payload: object) -> None:
        if pid == self._own_pid:
            return
        self._tell(_KEYS.decode(str(payload)))

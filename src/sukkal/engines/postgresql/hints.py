"""Hints between the nodes of one database: which queues others have put something into.

One connection says and hears them, by NOTIFY. They are said after the commit and apart from it: a transaction that
notifies holds a lock of the whole server while it commits, and hints are not worth that. What is said while one is on
its way goes with the next. What nodes have to say to each other besides goes the same way.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection
from typing import Final

import msgspec

from sukkal.engines.postgresql.alone import serves
from sukkal.engines.postgresql.database import Connection, Database
from sukkal.engines.postgresql.failures import FAILURES
from sukkal.engines.postgresql.statements import SQL
from sukkal.engines.postgresql.words import Assembly, parts_of
from sukkal.errors import StoreUnavailable
from sukkal.model import QueueKey

__all__ = ["Hints"]

_log: Final = logging.getLogger("sukkal.postgresql")

_CHANNEL: Final = "sukkal"
_WORDS_CHANNEL: Final = "sukkal_words"
_PAYLOAD_BYTES_MAX: Final = 7_900
_AGAIN_S: Final = 1.0
_PAUSE_S: Final = 0.005
"""Between two notifications: each costs the server and all nodes as much as a few posts do."""
_LOOK_S: Final = 10.0
"""Who only hears does not notice that a connection leads nowhere any more. So it says something now and then."""
_KEYS: Final = msgspec.json.Decoder(list[QueueKey] | None)

Told = Callable[[Collection[QueueKey] | None], None]
Word = tuple[bytes, "asyncio.Future[None]"]


class Hints:
    """Tells what other nodes have put where, and lets them know what this one has. See ``sukkal.store.Shared``."""

    def __init__(
        self,
        database: Database,
        tell: Told,
        hear: Callable[[bytes], None] | None = None,
        *,
        look_s: float = _LOOK_S,
    ) -> None:
        self._database = database
        self._look_s = look_s
        self._tell = tell
        self._assembly = Assembly(hear) if hear is not None else None
        self._news: set[QueueKey] = set()
        self._words: list[Word] = []
        self._connected = False
        self._some = asyncio.Event()
        self._hurry = asyncio.Event()
        self._own_pid = 0
        self._task = asyncio.ensure_future(self._work())

    def note(self, keys: Collection[QueueKey]) -> None:
        """Let the other nodes know that something was put into queues."""
        self._news.update(keys)
        self._some.set()

    def say(self, what: bytes) -> "asyncio.Future[None]":
        """Say something to the other nodes. Raises ``StoreUnavailable``."""
        said: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._connected:
            self._words.append((what, said))
            self._some.set()
            self._hurry.set()
        else:
            said.set_exception(_unavailable())
        return said

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
            if not await serves(connection):
                _log.warning("the store is being moved by somebody who thinks that nobody serves it")
                return
            connection.add_termination_listener(lambda _: self._some.set())
            self._own_pid = connection.get_server_pid()
            await connection.add_listener(_CHANNEL, self._hear)
            if self._assembly is not None:
                await connection.add_listener(_WORDS_CHANNEL, self._hear_word)
            # Nobody knows what was said before.
            self._tell(None)
            self._connected = True
            while not connection.is_closed():
                self._some.clear()
                self._hurry.clear()
                await self._say_words(connection)
                await self._say(connection)
                await self._pause()
                await self._wait(connection)
        finally:
            self._connected = False
            words, self._words = self._words, []
            _settle(words, _unavailable())
            connection.terminate()

    async def _pause(self) -> None:
        """Let hints gather, unless there is something to say that somebody waits for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE_S):
                await self._hurry.wait()

    async def _wait(self, connection: Connection) -> None:
        """Wait for something to say. Raises one of ``FAILURES`` if the connection leads nowhere any more."""
        try:
            async with asyncio.timeout(self._look_s):
                await self._some.wait()
        except TimeoutError:
            await connection.execute(SQL.clock_ms)

    async def _say(self, connection: Connection) -> None:
        if self._news:
            news, self._news = self._news, set()
            payload = msgspec.json.encode(sorted(news))
            if len(payload) > _PAYLOAD_BYTES_MAX:
                payload = b"null"
            await connection.execute(SQL.notify, payload.decode("utf-8"))

    async def _say_words(self, connection: Connection) -> None:
        while self._words:
            words, self._words = self._words, []
            try:
                await connection.execute(SQL.say, parts_of([what for what, _ in words]))
            except BaseException:
                _settle(words, _unavailable())
                raise
            _settle(words, None)

    def _hear(self, connection: object, pid: int, channel: str, payload: object) -> None:
        if pid != self._own_pid:
            self._tell(_KEYS.decode(str(payload)))

    def _hear_word(self, connection: object, pid: int, channel: str, payload: object) -> None:
        if pid != self._own_pid and self._assembly is not None:
            self._assembly.add(pid, str(payload))


def _settle(words: list[Word], error: Exception | None) -> None:
    for _, said in words:
        if not said.done():
            if error is None:
                said.set_result(None)
            else:
                said.set_exception(error)


def _unavailable() -> StoreUnavailable:
    return StoreUnavailable("The other nodes cannot be told now. Please try again in a few seconds.")

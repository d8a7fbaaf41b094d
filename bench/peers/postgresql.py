"""PostgreSQL with a table for each queue, as pgmq has them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
from tests.engines.postgresql_server import PostgreSQL

from bench.peers.peer import BODY, LISTED, QUEUES, TAKEN_AT_ONCE, Peer, Surroundings, queue_of
from bench.wire import BenchError
from sukkal.sql import Statements

__all__ = ["TableQueues"]

_AS_IT_COMES = {"shared_buffers": "128MB", "max_wal_size": "1GB", "max_connections": "200"}
_AT_ONCE = 100
_TOLD = "push"


class TableQueues(Peer):
    """A server as it comes, which syncs each commit."""

    name = "PostgreSQL, as pgmq"
    durability = "on the disk (synchronous_commit = on)"

    def __init__(self) -> None:
        super().__init__()
        self._statements = Statements(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
        self._made: dict[tuple[str, str], str] = {}

    @property
    def roots(self) -> Sequence[int]:
        """The first process; the others, one for each connection among them, are its children."""
        return [self._server.pid]

    async def start(self, around: Surroundings, connections: int) -> None:
        """Start it and connect to it."""
        server = PostgreSQL(durable=True, within=around.folder, prepare=around.pin, settings=_AS_IT_COMES)
        self._server = self.opened.enter_context(server)
        self._connections: list[Any] = []
        for _ in range(connections):
            self._connections.append(await self._connect())

    async def make(self, case: str) -> None:
        """Make the tables."""
        for number in range(QUEUES):
            for statement in ("make", "index"):
                await self._connections[0].execute(self._text(statement, queue_of(case, number)))

    async def post(self, case: str, number: int) -> None:
        """Insert a row; in the case whose listener is told by a notification, that too."""
        statement = self._text("post_and_tell" if case == _TOLD else "post", queue_of(case, number))
        await self._connections[number].execute(statement, BODY)

    async def fill(self, case: str, number: int, messages: int) -> None:
        """Insert many rows in few transactions."""
        connection, queue = self._connections[number], queue_of(case, number)
        for at in range(0, messages, _AT_ONCE):
            await connection.executemany(self._text("post", queue), [(BODY,)] * min(_AT_ONCE, messages - at))
        await connection.execute(self._text("analyze", queue))

    async def take(self, case: str, number: int) -> None:
        """Take ten rows in one transaction and delete them in another."""
        connection, queue = self._connections[number], queue_of(case, number)
        rows = await connection.fetch(self._text("take", queue))
        if len(rows) != TAKEN_AT_ONCE:
            raise BenchError(f"{self.name}: {len(rows)} of {TAKEN_AT_ONCE} rows were found")
        await connection.execute(self._text("delete", queue), [row["msg_id"] for row in rows])

    async def list(self, case: str, number: int) -> None:
        """Read the first rows of a table."""
        if len(await self._connections[number].fetch(self._text("list", queue_of(case, number)))) != LISTED:
            raise BenchError(f"{self.name}: a listing has too little")

    async def listen(self, case: str, heard: Callable[[], None]) -> None:
        """Be notified of each row; reading it is the listener's affair."""
        connection = await self._connect()

        def hear(*_: object) -> None:
            heard()

        await connection.add_listener(queue_of(case, 0), hear)

    async def _connect(self) -> Any:
        connection = await asyncpg.connect(self._server.url("postgres"), ssl=False)
        self.opened.push_async_callback(connection.close)
        return connection

    def _text(self, statement: str, queue: str) -> str:
        if (statement, queue) not in self._made:
            self._made[statement, queue] = getattr(self._statements, statement).replace("{queue}", queue)
        return self._made[statement, queue]

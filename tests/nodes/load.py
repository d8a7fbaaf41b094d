"""Clients that know several nodes: whatever becomes of one, they go on at another, and log what they were told."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from websockets.exceptions import InvalidHandshake

from tests.faults.exchange import Answer, Connection, Died
from tests.faults.history import Event
from tests.faults.listeners import Crowd
from tests.faults.listening import Listened, Watched
from tests.faults.load import Clients, Log
from tests.serving import ServerProcess

__all__ = ["Audience", "Nodes", "Workers"]

_PAUSE_S = 0.05
_ANSWER_S_MAX = 60.0


class Nodes:
    """The nodes that there are now; which of them is asked is chosen by ``pick``."""

    def __init__(self, servers: Sequence[ServerProcess]) -> None:
        self.servers = list(servers)
        self.stopping = asyncio.Event()
        self.unavailable = 0
        self._answers = 0
        self._wanted = 0
        self._answered = asyncio.Event()

    async def again(self) -> bool:
        """Wait a moment before a client tries another node, and tell whether it is to go on."""
        await asyncio.sleep(_PAUSE_S)
        return not self.stopping.is_set()

    async def answered(self, count: int) -> None:
        """Wait until so many more requests were answered."""
        self._wanted = self._answers + count
        self._answered.clear()
        await self._answered.wait()

    async def ask(self, connection: Connection, *what: Any, **more: Any) -> Answer:
        """Make a request; that the store is not there is as good as no answer. Raises ``Died``."""
        async with asyncio.timeout(_ANSWER_S_MAX):
            answer = await connection.ask(*what, **more)
        self._answers += 1
        if self._answers >= self._wanted:
            self._answered.set()
        if answer.status == 503:
            assert int(answer.headers["retry-after"]) > 0, answer
            assert set(answer.document) == {"title", "description"}, answer
            self.unavailable += 1
            raise Died
        return answer


class Workers(Clients):
    """Clients that post, claim, delete, release and pop."""

    async def work_at(self, nodes: Nodes) -> None:
        """Send requests until it is time to stop."""
        self._nodes = nodes
        async with asyncio.TaskGroup() as group:
            for _ in range(self._connections):
                group.create_task(self._wander(nodes))

    async def _wander(self, nodes: Nodes) -> None:
        while await nodes.again():
            try:
                connection = await Connection.open(*_address(self._random.choice(nodes.servers)))
            except OSError:
                continue
            try:
                while not nodes.stopping.is_set():
                    await self._act(connection)
            except Died:
                continue
            finally:
                await connection.close()

    async def _ask(
        self, connection: Connection, log: Log, method: str, path: str, *document: Any, **headers: str
    ) -> Event:
        start_s = time.monotonic()
        answer: Answer | None = None
        try:
            answer = await self._nodes.ask(connection, method, path, *document, **headers)
        finally:
            event = log(answer, {"start_s": start_s, "end_s": time.monotonic()})
            self.history.append(event)
        return event


class Audience(Crowd):
    """Clients that post, pop and listen."""

    async def work_at(self, nodes: Nodes) -> None:
        """Post, pop, listen, go away and come back to another node, until it is time to stop."""
        self._nodes = nodes
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._stay(nodes, log, each)) for log in self._logs for each in log.listeners]
            for _ in range(self._busy):
                group.create_task(self._wander(nodes))
            await nodes.stopping.wait()
            for task in tasks:
                task.cancel()

    async def _wander(self, nodes: Nodes) -> None:
        while await nodes.again():
            try:
                connection = await Connection.open(*_address(self._random.choice(nodes.servers)))
            except OSError:
                continue
            try:
                while await nodes.again():
                    await self._act(connection)
            except Died:
                continue
            finally:
                await connection.close()

    async def _stay(self, nodes: Nodes, log: Watched, listener: Listened) -> None:
        while await nodes.again():
            try:
                server = self._random.choice(nodes.servers)
                await self._listen(server, log, listener, most=self._random.choice((3, 30, 300)))
            except (OSError, Died, InvalidHandshake):
                self.cut_off += 1

    async def _ask(self, connection: Connection, method: str, path: str, *document: Any, **headers: str) -> Answer:
        return await self._nodes.ask(connection, method, path, *document, **headers)


def _address(server: ServerProcess) -> tuple[str, int]:
    return server.host, server.port

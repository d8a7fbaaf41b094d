"""Load on some nodes while something happens to them, and whether every promise was kept."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, Final

from tests.faults.checker import check
from tests.faults.history import Kind
from tests.faults.listening import Watched
from tests.faults.listening_checker import check_listening
from tests.faults.load import QUEUES, view
from tests.faults.test_kill import drain
from tests.nodes.asking import ask
from tests.nodes.load import Audience, Nodes, Workers
from tests.serving import ServerProcess

__all__ = ["Trial"]

_LISTENERS_DONE_S_MAX: Final = 60


class Trial:
    """Clients of all kinds, with ``connections`` that work, and ``busy`` ones for ``each`` listener of a queue.

    Of the two queues that are listened to one keeps its history and the other does not. Without ``each`` nobody
    listens.
    """

    def __init__(self, seed: int, *, connections: int, busy: int = 0, each: int = 0) -> None:
        self._random = Random(seed)
        self.workers = Workers(seed, connections=connections)
        logs = [Watched("kept", history=True), Watched("short", history=False)] if each else []
        self.audience = Audience(logs, seed=seed, busy=busy, each=each)

    def wanted(self) -> dict[str, dict[str, Any]]:
        """Return the metadata of all queues that are used."""
        listened = {log.queue: {"_history": 3_600 * log.history} for log in self.audience.logs}
        return {queue: {} for queue in QUEUES} | listened

    async def make_queues(self, server: ServerProcess, *more: dict[str, Any]) -> None:
        """Make all queues, each with metadata of its own and, by turns, with some more."""
        for number, (queue, metadata) in enumerate(self.wanted().items()):
            extra = more[number % len(more)] if more else {}
            made = await ask(server, "PUT", f"/v2/queues/{queue}", metadata | extra)
            assert made.status == 201, made

    async def during(self, nodes: Nodes, happening: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Send requests of all kinds until what happens has happened, and look at the queues then."""
        nodes.stopping.clear()

        async def happen() -> None:
            await happening()
            nodes.stopping.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(self.workers.work_at(nodes))
            group.create_task(self.audience.work_at(nodes))
            group.create_task(happen())
        await self._look(self._random.choice(nodes.servers))

    async def finish(self, nodes: Nodes) -> None:
        """Take out all that is left, let listeners hear the rest, and stop the nodes."""
        await drain(nodes.servers[0], self.workers)
        await self._look(nodes.servers[1])
        async with asyncio.timeout(_LISTENERS_DONE_S_MAX):
            await self.audience.finish(nodes.servers[-1])
        for server in nodes.servers:
            assert server.stop() == 0
            assert "Traceback" not in server.stderr, server.stderr

    def check(self) -> None:
        """See in the log of all requests that every promise was kept."""
        assert self.workers.strange == []
        assert self.audience.strange == []
        assert check(self.workers.history) == []
        for log in self.audience.logs:
            assert check_listening(log) == []

    def done(self, kind: Kind) -> int:
        """Return how many requests of a kind were answered."""
        return sum(event.done and event.kind is kind for event in self.workers.history)

    async def _look(self, server: ServerProcess) -> None:
        self.workers.history += [await view(server, queue) for queue in QUEUES]

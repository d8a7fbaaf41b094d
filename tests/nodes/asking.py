"""Asking nodes, each request on a connection of its own."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Final

from tests.faults.exchange import Answer, Connection
from tests.faults.listeners import subscription
from tests.faults.listening import Place
from tests.serving import ServerProcess

__all__ = ["WAIT_S", "Listener", "ask", "healed", "post"]

WAIT_S: Final = 30
_PAUSE_S: Final = 0.05


async def ask(node: ServerProcess, method: str, path: str, document: Any = None, *, roles: str = "member") -> Answer:
    """Make a request of a node."""
    connection = await Connection.open(node.host, node.port)
    try:
        return await asyncio.wait_for(connection.ask(method, path, document, X_Roles=roles), WAIT_S)
    finally:
        await connection.close()


async def post(node: ServerProcess, queue: str, *bodies: Any) -> None:
    """Post messages through a node."""
    document = {"messages": [{"body": body, "ttl": 300} for body in bodies]}
    answer = await ask(node, "POST", f"/v2/queues/{queue}/messages", document)
    assert answer.status == 201, answer


async def healed(node: ServerProcess, *queues: str) -> None:
    """Wait until a node takes posts, to each of some queues if there are any."""
    async with asyncio.timeout(WAIT_S):
        for queue in queues or ("healed",):
            while (answer := await _try_post(node, queue)).status != 201:
                assert answer.status == 503, answer
                await asyncio.sleep(_PAUSE_S)


async def _try_post(node: ServerProcess, queue: str) -> Answer:
    return await ask(node, "POST", f"/v2/queues/{queue}/messages", {"messages": [{"body": 1}]})


class Listener:
    """Somebody who listens to a queue through a node, from when ``began`` has returned."""

    def __init__(self, node: ServerProcess, queue: str, since: Place | None = None) -> None:
        self.heard: list[Any] = []
        self.place: Place | None = None
        self.recovered: bool | None = None
        self._began = asyncio.Event()
        self._more = asyncio.Event()
        self._task = asyncio.ensure_future(self._listen(node, queue, since))

    async def began(self) -> None:
        """Wait until it listens."""
        waiting = asyncio.ensure_future(self._began.wait())
        await asyncio.wait({waiting, self._task}, timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert self._began.is_set(), self._task

    async def until(self, count: int) -> list[Any]:
        """Wait until so many messages were heard, and return all."""
        return await self._wait(lambda: len(self.heard) >= count)

    async def until_heard(self, body: Any) -> list[Any]:
        """Wait until a message was heard, and return all."""
        return await self._wait(lambda: body in self.heard)

    async def _wait(self, done: Callable[[], bool]) -> list[Any]:
        async with asyncio.timeout(WAIT_S):
            while not done():
                self._more.clear()
                await self._more.wait()
        return self.heard

    async def leave(self) -> None:
        """Go away."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _listen(self, node: ServerProcess, queue: str, since: Place | None) -> None:
        async with aclosing(subscription(node, queue, since)) as told:
            async for each in told:
                if not self._began.is_set():
                    self.place, self.recovered = Place.of(each["position"]), each.get("recovered")
                    self._began.set()
                    continue
                self.heard.append(each["body"])
                if "position" in each:
                    self.place = Place.of(each["position"])
                self._more.set()

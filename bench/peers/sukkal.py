"""The service itself."""

import asyncio
from collections.abc import Callable, Sequence

from bench.peers.http import Receiver
from bench.peers.messaging import MessagingPeer
from bench.peers.peer import Surroundings, queue_of
from bench.processes import Server, service_command
from bench.scripts import queue_path
from bench.wire import CLIENT, PROJECT, BenchError, request, status_line

__all__ = ["Sukkal", "SukkalWebhook", "webhook_at"]


class Sukkal(MessagingPeer):
    """The service, as `sukkal serve` starts it."""

    name = "Sukkal"
    durability = "on the disk (SQLite, synchronous=FULL, group commit)"

    @property
    def roots(self) -> Sequence[int]:
        """Its one process."""
        return [self._server.pid]

    async def start(self, around: Surroundings, connections: int) -> None:
        """Start it with its store on the disk."""
        command = service_command(around.folder / "data", "--webhook-allow", "127.0.0.1/32")
        self._server = Server(command, core=around.core, log=around.folder / "log")
        self.opened.callback(self._server.stop)
        await self.connect(self._server.address, connections)

    async def listen(self, case: str, heard: Callable[[], None]) -> None:
        """Read the queue's stream."""
        reader, writer = await asyncio.open_connection(*self._server.address)
        self.opened.callback(writer.close)
        path = f"{queue_path(queue_of(case, 0))}/stream"
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nClient-ID: {CLIENT}\r\nX-Project-Id: {PROJECT}\r\n\r\n".encode()
        )
        while b"event: ready" not in await reader.readline():
            if reader.at_eof():
                raise BenchError(f"{self.name}: the stream does not begin")

        async def read() -> None:
            while line := await reader.readline():
                if line.startswith(b"data: ") and b"queue_name" in line:
                    heard()

        reading = asyncio.create_task(read())
        self.opened.callback(reading.cancel)


class SukkalWebhook(Sukkal):
    """The service that calls a URL for each message."""

    name = "Sukkal, webhook"
    absent = frozenset({"post", "take", "list"})

    async def listen(self, case: str, heard: Callable[[], None]) -> None:
        """Subscribe a receiver."""
        await webhook_at(self, case, heard)


async def webhook_at(peer: MessagingPeer, case: str, heard: Callable[[], None]) -> None:
    """Subscribe a receiver to the first queue of a case."""
    receiver = await asyncio.get_running_loop().create_server(lambda: Receiver(heard), "127.0.0.1", 0)
    peer.opened.callback(receiver.close)
    port = receiver.sockets[0].getsockname()[1]
    document = {"subscriber": f"http://127.0.0.1:{port}/", "ttl": 86_400}
    path = f"{queue_path(queue_of(case, 0))}/subscriptions"
    await peer.line.ask(request("POST", path, document), status_line(201))

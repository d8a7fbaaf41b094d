"""NATS JetStream, with every message synced to the disk."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RetentionPolicy, StorageType, StreamConfig

from bench.peers.nats_server import NATSServer
from bench.peers.peer import BODY, TAKEN_AT_ONCE, Peer, Surroundings, queue_of
from bench.wire import BenchError

__all__ = ["JetStream"]

_AT_ONCE = 100
_PATIENCE_S = 30.0


class JetStream(Peer):
    """A server of one node. Each case has a stream, whose messages go when they are acknowledged."""

    name = "NATS JetStream"
    durability = "on the disk (sync_interval: always)"
    absent = frozenset({"list"})

    @property
    def roots(self) -> Sequence[int]:
        """Its one process."""
        return [self._server.pid]

    async def start(self, around: Surroundings, connections: int) -> None:
        """Start it and connect to it."""
        self._server = self.opened.enter_context(NATSServer(around.folder, around.pin))
        url = f"nats://127.0.0.1:{self._server.port}"
        self._clients = [await nats.connect(url) for _ in range(connections)]
        for client in self._clients:
            self.opened.push_async_callback(client.close)
        self._streams = [client.jetstream(timeout=_PATIENCE_S) for client in self._clients]
        self._pulling: dict[tuple[str, int], Any] = {}

    async def make(self, case: str) -> None:
        """Make the stream, whose subjects are the queues."""
        listens = case == "push"
        retention = RetentionPolicy.LIMITS if listens else RetentionPolicy.WORK_QUEUE
        await self._streams[0].add_stream(
            StreamConfig(name=case, subjects=[f"{case}.*"], retention=retention, storage=StorageType.FILE)
        )

    async def post(self, case: str, number: int) -> None:
        """Publish a message and wait until it is stored."""
        await self._streams[number].publish(_subject(case, number), BODY.encode())

    async def fill(self, case: str, number: int, messages: int) -> None:
        """Publish a hundred at a time."""
        for at in range(0, messages, _AT_ONCE):
            await asyncio.gather(*[self.post(case, number) for _ in range(min(_AT_ONCE, messages - at))])

    async def take(self, case: str, number: int) -> None:
        """Fetch ten messages and acknowledge them, the last one with an answer."""
        if (case, number) not in self._pulling:
            settings = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, max_ack_pending=1_000)
            queue = queue_of(case, number)
            self._pulling[case, number] = await self._streams[number].pull_subscribe(
                _subject(case, number), durable=queue, stream=case, config=settings
            )
        found = await self._pulling[case, number].fetch(TAKEN_AT_ONCE, timeout=_PATIENCE_S)
        if len(found) != TAKEN_AT_ONCE:
            raise BenchError(f"{self.name}: {len(found)} of {TAKEN_AT_ONCE} messages were found")
        for message in found[:-1]:
            await message.ack()
        await found[-1].ack_sync(timeout=_PATIENCE_S)

    async def listen(self, case: str, heard: Callable[[], None]) -> None:
        """Have everything pushed."""

        async def hear(message: Any) -> None:
            heard()

        settings = ConsumerConfig(deliver_policy=DeliverPolicy.NEW, ack_policy=AckPolicy.NONE)
        await self._streams[-1].subscribe(_subject(case, 0), stream=case, cb=hear, config=settings)


def _subject(case: str, number: int) -> str:
    return queue_of(case, number).replace("-", ".")

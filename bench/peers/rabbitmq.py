"""RabbitMQ: quorum queues with publisher confirms, over AMQP 0-9-1."""

import asyncio
from collections.abc import Callable, Sequence

import aiormq
from aiormq.abc import AbstractChannel, DeliveredMessage
from tests.clients.rabbitmq import PASSWORD, USER, RabbitMQ

from bench.peers.peer import BODY, QUEUES, TAKEN_AT_ONCE, Peer, Surroundings, queue_of
from bench.wire import BenchError

__all__ = ["QuorumQueues"]

_QUORUM = {"x-queue-type": "quorum"}
_AT_ONCE = 100


class QuorumQueues(Peer):
    """A broker of one node."""

    name = "RabbitMQ, quorum queue"
    durability = "on the disk (its log is synced before it confirms)"
    absent = frozenset({"list"})

    def __init__(self) -> None:
        super().__init__()
        self._channels: list[AbstractChannel] = []
        self._taken: dict[tuple[str, int], asyncio.Queue[DeliveredMessage]] = {}

    @property
    def roots(self) -> Sequence[int]:
        """The broker and its name server."""
        return self._broker.pids

    async def start(self, around: Surroundings, connections: int) -> None:
        """Start a broker with one scheduler, for its one core, and connect to it."""
        self._broker = self.opened.enter_context(RabbitMQ(around.folder, prepare=around.pin))
        url = f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self._broker.port}/"
        for _ in range(connections):
            connection = await aiormq.connect(url)
            self.opened.push_async_callback(connection.close)
            channel = await connection.channel()
            await channel.basic_qos(prefetch_count=TAKEN_AT_ONCE)
            self._channels.append(channel)

    async def make(self, case: str) -> None:
        """Declare the queues."""
        for number in range(QUEUES):
            await self._channels[0].queue_declare(queue_of(case, number), durable=True, arguments={**_QUORUM})

    async def post(self, case: str, number: int) -> None:
        """Publish a message and wait until it is confirmed."""
        if await self._channels[number].basic_publish(BODY.encode(), routing_key=queue_of(case, number)) is None:
            raise BenchError(f"{self.name}: nothing was confirmed")

    async def fill(self, case: str, number: int, messages: int) -> None:
        """Publish a hundred at a time."""
        for at in range(0, messages, _AT_ONCE):
            await asyncio.gather(*[self.post(case, number) for _ in range(min(_AT_ONCE, messages - at))])

    async def take(self, case: str, number: int) -> None:
        """Wait for ten messages and acknowledge them; a basic.get that waits brings the answer of the broker."""
        channel = self._channels[number]
        if (case, number) not in self._taken:
            taken = self._taken[case, number] = asyncio.Queue()
            await channel.basic_consume(queue_of(case, number), taken.put)
        last = None
        for _ in range(TAKEN_AT_ONCE):
            last = await self._taken[case, number].get()
        assert last is not None
        assert last.delivery_tag is not None
        await channel.basic_ack(last.delivery_tag, multiple=True)

    async def listen(self, case: str, heard: Callable[[], None]) -> None:
        """Consume without having to acknowledge."""

        async def hear(message: DeliveredMessage) -> None:
            heard()

        await self._channels[-1].basic_consume(queue_of(case, 0), hear, no_ack=True)

"""An exchange and a queue of a real broker, and what comes to them."""

from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import aiormq
from aiormq.abc import AbstractChannel, DeliveredMessage

from sukkal.testing.sink_contract import Received
from tests.clients.rabbitmq import PASSWORD, USER, RabbitMQ

__all__ = ["EXCHANGE", "KEY", "QUEUE", "AmqpReceiver"]

EXCHANGE: Final = "notices"
KEY: Final = "a key"
QUEUE: Final = "inbox"


class AmqpReceiver:
    """Binds a new queue to a new exchange of a virtual host, and removes both at the end."""

    def __init__(self, broker: RabbitMQ, *, vhost: str = "/", arguments: dict[str, Any] | None = None) -> None:
        self.port = broker.port
        self.messages: list[DeliveredMessage] = []
        self.channel: AbstractChannel
        self._arguments = arguments or {}
        self._url = f"amqp://{USER}:{PASSWORD}@127.0.0.1:{broker.port}/{quote(vhost, safe='')}"
        self._connection: aiormq.Connection

    async def __aenter__(self) -> Self:
        self._connection = aiormq.Connection(self._url)
        await self._connection.connect()
        self.channel = await self._connection.channel()
        await self._remove()
        await self.channel.exchange_declare(EXCHANGE)
        await self.channel.queue_declare(QUEUE, arguments=self._arguments)
        await self.channel.queue_bind(QUEUE, EXCHANGE, KEY)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._remove()
        await self._connection.close()

    async def received(self) -> list[Received]:
        """Return what has come so far."""
        while (
            message := await self.channel.basic_get(QUEUE, no_ack=True)
        ).body or message.header.properties.message_id:
            self.messages.append(message)
        return [Received(str(each.header.properties.message_id), each.body) for each in self.messages]

    async def refuse(self) -> None:
        """Refuse what comes from now on."""
        await self.channel.queue_unbind(QUEUE, EXCHANGE, KEY)

    async def _remove(self) -> None:
        await self.channel.queue_delete(QUEUE)
        await self.channel.exchange_delete(EXCHANGE)

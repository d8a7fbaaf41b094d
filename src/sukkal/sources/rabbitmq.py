"""Notifications that services send by oslo.messaging through RabbitMQ.

Each consumer has an AMQP queue of its own, as the pools of oslo.messaging have: it is bound to the exchanges by the
topics and priorities, and gets a copy of everything. So what one consumer does not acknowledge is no other's business.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple

import aiormq
import msgspec
from aiormq.abc import AbstractChannel, DeliveredMessage
from aiormq.exceptions import AMQPError, ChannelNotFoundEntity
from pamqp.exceptions import PAMQPException
from yarl import URL

from sukkal import limits
from sukkal.errors import SettingsError
from sukkal.options import options_of
from sukkal.source import Arrival, SourceContext, SourceUnavailable

__all__ = ["RabbitMQSource"]

_FAILURES: Final = (AMQPError, PAMQPException, OSError, ValueError, EOFError, RuntimeError, struct.error)
_PRIORITIES: Final = ("audit", "debug", "info", "warn", "error", "critical", "sample")

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
_Names = Annotated[tuple[_Name, ...], msgspec.Meta(min_length=1)]


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    url: Annotated[str, msgspec.Meta(pattern="^amqps?://")]
    exchanges: _Names
    topics: _Names = ("notifications",)
    priorities: _Names = _PRIORITIES
    pool: _Name = "sukkal"
    durable: bool = False
    queue_arguments: dict[str, Any] = {}
    window: Annotated[int, msgspec.Meta(ge=1, le=limits.FORWARDER_WINDOW_MAX)] = limits.FORWARDER_WINDOW


class _Token(NamedTuple):
    channel: AbstractChannel
    tag: int


class RabbitMQSource:
    """Consumes the AMQP queue ``POOL.SOURCE.CONSUMER``. Raises ``SettingsError`` for options that are wrong."""

    def __init__(self, options: Mapping[str, Any], context: SourceContext) -> None:
        self._options = options_of(_Options, options)
        try:
            self._url = URL(self._options.url) % {"heartbeat": str(limits.AMQP_HEARTBEAT_S), "name": "sukkal forward"}
        except ValueError:
            raise SettingsError("url is not one of a broker: amqp://USER:PASSWORD@HOST:5672/VHOST.") from None
        self.queue = f"{self._options.pool}.{context.name}.{context.consumer}"
        self.window = self._options.window
        self._connection: aiormq.Connection | None = None
        self._channel: AbstractChannel | None = None

    async def receive(self) -> AsyncIterator[Arrival]:
        """Bring what lies in the queue, until the connection is lost. Raises ``SourceUnavailable``."""
        came: asyncio.Queue[DeliveredMessage | None] = asyncio.Queue()
        try:
            async with asyncio.timeout(limits.FORWARDER_TIMEOUT_S):
                channel = await self._consume(came)
            while (message := await came.get()) is not None:
                yield _arrival(message, channel)
            reason = "The broker closed the connection, or its queue was deleted."
        except TimeoutError:
            reason = "The broker did not answer in time."
        except _FAILURES as error:
            reason = f"{type(error).__name__}: {error}"
        except asyncio.CancelledError:
            # The library ends with it what waits for a connection that was lost; nobody meant this task.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                # The connection is still needed for what is on its way.
                raise
            reason = "The connection was lost."
        await self.close()
        raise SourceUnavailable(reason)

    async def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge what came through a connection that is still there; the broker brings the rest again."""
        for arrival in arrivals:
            token: _Token = arrival.token
            if not token.channel.is_closed:
                # What fails here shows in `receive` too.
                with contextlib.suppress(*_FAILURES):
                    await token.channel.basic_ack(token.tag, wait=False)

    async def waiting(self) -> int | None:
        """Return how many messages lie in the queue and are with no consumer."""
        if self._connection is None or self._channel is None:
            return None
        try:
            async with asyncio.timeout(limits.FORWARDER_TIMEOUT_S):
                channel = await self._connection.channel()
                declared = await channel.queue_declare(self.queue, passive=True)
                await channel.close()
        except (TimeoutError, *_FAILURES):
            return None
        return None if declared is None else declared.message_count

    async def close(self) -> None:
        """End the connection; what was not acknowledged goes back to its queue."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(TimeoutError, *_FAILURES):
                async with asyncio.timeout(limits.AMQP_CLOSE_TIMEOUT_S):
                    await connection.close()

    async def _consume(self, came: asyncio.Queue[DeliveredMessage | None]) -> AbstractChannel:
        self._connection = aiormq.Connection(self._url)
        await self._connection.connect()
        for exchange in self._options.exchanges:
            await self._declare_exchange(self._connection, exchange)
        channel = await self._connection.channel()
        await channel.queue_declare(self.queue, durable=True, arguments=self._options.queue_arguments)
        for exchange in self._options.exchanges:
            for topic in self._options.topics:
                for priority in self._options.priorities:
                    await channel.queue_bind(self.queue, exchange, f"{topic}.{priority}")
        await channel.basic_qos(prefetch_count=self.window)

        async def take(message: DeliveredMessage) -> None:
            came.put_nowait(message)

        async def cancelled(frame: object) -> None:
            came.put_nowait(None)

        # Both before there can be one: the broker cancels a consumer whose queue is deleted.
        channel.on_consumer_cancel_callbacks.add(cancelled)
        await channel.basic_consume(self.queue, take)
        channel.closing.add_done_callback(lambda closed: came.put_nowait(None))
        self._channel = channel
        return channel

    async def _declare_exchange(self, connection: aiormq.Connection, name: str) -> None:
        # As the service has declared it, if it has: to declare it otherwise would fail, now or for the service later.
        try:
            await (await connection.channel()).exchange_declare(name, exchange_type="topic", passive=True)
        except ChannelNotFoundEntity:
            channel = await connection.channel()
            await channel.exchange_declare(name, exchange_type="topic", durable=self._options.durable)


def _arrival(message: DeliveredMessage, channel: AbstractChannel) -> Arrival:
    return Arrival(
        body=bytes(message.body),
        place=message.routing_key or "",
        id=message.header.properties.message_id or "",
        token=_Token(channel, message.delivery_tag or 0),
    )

"""A broker says little to somebody who consumes nothing; one that says more is cut off."""

import asyncio

import pytest
from yarl import URL

from sukkal import limits
from sukkal.sinks.amqp.transport import GuardedTransport

CHUNK = 65_536


async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            writer.write(b"x" * CHUNK)
            await writer.drain()
    except ConnectionError:
        pass


async def read_on(reader: asyncio.StreamReader) -> int:
    size = 0
    while True:
        try:
            size += len(await reader.readexactly(CHUNK))
        except ConnectionError:
            return size


def test_a_broker_may_say_so_much_for_each_message_and_no_more() -> None:
    async def talk() -> tuple[int, int]:
        async with await asyncio.start_server(flood, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            transport = GuardedTransport(["127.0.0.1"], None)
            reader, _ = await transport.create(URL(f"amqp://127.0.0.1:{port}"))
            first = await read_on(reader)
            transport.renew()
            second = await read_on(reader)
            transport.abort()
            return first, second

    first, second = asyncio.run(talk())
    assert first == second == limits.AMQP_READ_BYTES_MAX


def test_a_frame_that_is_too_large_is_not_waited_for() -> None:
    async def talk() -> None:
        async with await asyncio.start_server(flood, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            transport = GuardedTransport(["127.0.0.1"], None)
            reader, _ = await transport.create(URL(f"amqp://127.0.0.1:{port}"))
            with pytest.raises(ConnectionError, match="too large"):
                await reader.readexactly(limits.AMQP_FRAME_BYTES_MAX + 1)
            transport.abort()

    asyncio.run(talk())

"""The sources, with a real RabbitMQ and a real service."""

import asyncio
import itertools
import json
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiormq
import pytest
from tests.clients.rabbitmq import RabbitMQ
from tests.forwarder.emitting import url_of
from tests.serving import ServerProcess

from sukkal.source import Source, SourceContext, SourceUnavailable
from sukkal.sources.queue import QueueSource
from sukkal.sources.rabbitmq import RabbitMQSource
from sukkal.testing.source_contract import SourceContract

CONTEXT: Final = SourceContext(name="s", consumer="p", client_id="3381af92-2b9e-11e3-b191-71861300734c")

_numbers = itertools.count()


@asynccontextmanager
async def connected(broker: RabbitMQ) -> AsyncIterator[Any]:
    connection = aiormq.Connection(url_of(broker))
    await connection.connect()
    yield await connection.channel(publisher_confirms=True)
    await connection.close()


class TestRabbitMQ(SourceContract):
    @pytest.fixture(autouse=True)
    def _prepare(self, broker: RabbitMQ) -> None:
        self.broker = broker
        self.exchange = f"exchange-{next(_numbers)}"

    def make_source(self) -> Source:
        options = {"url": url_of(self.broker), "exchanges": [self.exchange], "pool": self.exchange, "window": 5}
        return RabbitMQSource(options, CONTEXT)

    async def feed(self, bodies: Sequence[bytes]) -> None:
        async with connected(self.broker) as channel:
            for body in bodies:
                await channel.basic_publish(body, exchange=self.exchange, routing_key="notifications.info")


class TestQueue(SourceContract):
    @pytest.fixture(autouse=True)
    def _prepare(self, server: ServerProcess) -> None:
        self.url = server.url
        self.queue = f"queue-{next(_numbers)}"

    def make_source(self) -> Source:
        options = {"url": self.url, "project": "cloud", "queues": {"p": self.queue}, "window": 5}
        return QueueSource(options, CONTEXT)

    async def feed(self, bodies: Sequence[bytes]) -> None:
        headers = {"X-Project-Id": "cloud", "Client-ID": CONTEXT.client_id, "Content-Type": "application/json"}
        messages = {"messages": [{"body": json.loads(body)} for body in bodies]}
        url = f"{self.url}/v2/queues/{self.queue}/messages"
        request = urllib.request.Request(url, json.dumps(messages).encode(), headers, method="POST")
        await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=30).close())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder: Path = tmp_path_factory.mktemp("data")
    with ServerProcess(f"sqlite:///{folder}") as server:
        yield server


async def first(source: Source) -> bytes:
    """Return the body of what comes first."""
    try:
        async for arrival in source.receive():
            return arrival.body
    finally:
        await source.close()
    raise AssertionError("It ended.")


@pytest.mark.parametrize("durable", [True, False])
def test_an_exchange_is_taken_as_the_service_has_declared_it(broker: RabbitMQ, durable: bool) -> None:
    exchange = f"exchange-{next(_numbers)}"

    async def steps() -> None:
        options = {"url": url_of(broker), "exchanges": [exchange], "pool": exchange, "durable": not durable}
        source = RabbitMQSource(options, CONTEXT)
        async with asyncio.timeout(30), connected(broker) as channel:
            await channel.exchange_declare(exchange, exchange_type="topic", durable=durable)
            coming = asyncio.ensure_future(first(source))
            while await source.waiting() is None:  # noqa: ASYNC110 - the other side sets no event
                await asyncio.sleep(0)
            await channel.basic_publish(b"x", exchange=exchange, routing_key="notifications.error")
            assert await coming == b"x"

    asyncio.run(steps())


def test_a_queue_that_is_deleted_ends_the_source_which_can_begin_again(broker: RabbitMQ) -> None:
    exchange = f"exchange-{next(_numbers)}"

    async def steps() -> None:
        source = RabbitMQSource({"url": url_of(broker), "exchanges": [exchange], "pool": exchange}, CONTEXT)
        async with asyncio.timeout(30), connected(broker) as channel:
            for _ in range(2):
                coming = asyncio.ensure_future(first(source))
                while await source.waiting() is None:  # noqa: ASYNC110 - the other side sets no event
                    await asyncio.sleep(0)
                await channel.queue_delete(source.queue)
                with pytest.raises(SourceUnavailable, match="closed the connection, or its queue was deleted"):
                    await coming

    asyncio.run(steps())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("amqp://sukkal:a-wrong-password@127.0.0.1:{port}/", "(?i)login|access|refused"),
        ("amqp://127.0.0.1:9/", "(?i)connect"),
        ("amqp://sukkal:a-wrong-password@127.0.0.1:{port}/none", "(?i)login|access|refused"),
    ],
)
def test_a_broker_that_cannot_be_had_is_told_without_secrets(url: str, words: str, broker: RabbitMQ) -> None:
    source = RabbitMQSource({"url": url.format(port=broker.port), "exchanges": ["x"]}, CONTEXT)
    with pytest.raises(SourceUnavailable, match=words) as told:
        asyncio.run(first(source))
    assert "wrong-password" not in str(told.value)


def test_a_service_that_cannot_be_had_is_told() -> None:
    source = QueueSource({"url": "http://127.0.0.1:9", "project": "p", "queues": {"p": "q"}}, CONTEXT)
    with pytest.raises(SourceUnavailable, match="No answer"):
        asyncio.run(first(source))

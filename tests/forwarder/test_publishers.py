"""The publishers, with a real service, a real web server and a real broker."""

import asyncio
import json
import tempfile
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final, Self

import pytest
from tests.clients.rabbitmq import PASSWORD, USER, RabbitMQ
from tests.forwarder.hook import Hook
from tests.forwarder.running import queue_events
from tests.serving import ServerProcess
from tests.sinks.amqp_receiver import EXCHANGE, AmqpReceiver

from sukkal.format import Event
from sukkal.formats import cloudevents
from sukkal.publisher import ACCEPTED, Notification, Publisher, PublisherContext
from sukkal.publishers.queue import QueuePublisher
from sukkal.publishers.sink import SinkPublisher, amqp_publisher, webhook_publisher
from sukkal.testing.publisher_contract import EventReceiver, PublisherContract

CONTEXT: Final = PublisherContext(
    name="p", client_id="3381af92-2b9e-11e3-b191-71861300734c", now_ms=lambda: 1_700_000_000_000, timeout_s=20
)
LARGE: Final = 300_000


class Opened:
    """A receiver that is open while its context lasts; opening and closing block, which nobody minds here."""

    port: int

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.thing.close)


class Queues(Opened):
    def __init__(self, *flags: str) -> None:
        super().__init__(ServerProcess("memory://", *flags))
        self.port = self.thing.port

    async def received(self) -> list[str]:
        events = await asyncio.to_thread(queue_events, self.thing.url, "p-1", "q")
        return [event["id"] for event in events]

    async def refuse(self) -> None:
        self.thing.kill()


class Hooks(Opened):
    def __init__(self) -> None:
        super().__init__(Hook())
        self.port = int(self.thing.url.rpartition(":")[2].partition("/")[0])

    async def received(self) -> list[str]:
        return [taken.event["id"] for taken in self.thing.taken]

    async def refuse(self) -> None:
        self.thing.status = 500


class Exchanges(AmqpReceiver):
    async def received(self) -> list[Any]:
        return [json.loads(each.body)["id"] for each in await super().received()]


class TestQueue(PublisherContract):
    stores_once = True

    def make_publisher(self, port: int, context: PublisherContext) -> Publisher:
        return QueuePublisher({"url": f"http://127.0.0.1:{port}", "queue": "q"}, context)

    def receiver(self) -> AbstractAsyncContextManager[EventReceiver]:
        return Queues()


class TestWebhook(PublisherContract):
    def make_publisher(self, port: int, context: PublisherContext) -> Publisher:
        return webhook_publisher({"url": f"http://127.0.0.1:{port}/"}, context)

    def receiver(self) -> AbstractAsyncContextManager[EventReceiver]:
        return Hooks()


class TestAmqp(PublisherContract):
    @pytest.fixture(autouse=True)
    def _with(self, broker: RabbitMQ) -> None:
        self._broker = broker

    def make_publisher(self, port: int, context: PublisherContext) -> Publisher:
        url = f"amqp://{USER}:{PASSWORD}@127.0.0.1:{port}/?exchange={EXCHANGE}&routing_key=a%20key"
        return amqp_publisher({"url": url}, context)

    def receiver(self) -> AbstractAsyncContextManager[EventReceiver]:
        return Exchanges(self._broker)


def notification(id_: str, *, project: str | None = "p-1", data: Any = None) -> Notification:
    return Notification(event=Event(id=id_, source="/s", type="t", data=data), project=project)


def published(publisher: Publisher, *notifications: Notification) -> list[Any]:
    async def steps() -> list[Any]:
        try:
            return list(await publisher.publish(notifications))
        finally:
            await publisher.close()

    return asyncio.run(steps())


def test_one_event_that_a_queue_refuses_keeps_no_other_out() -> None:
    with ServerProcess("memory://") as server:
        publisher = QueuePublisher({"url": server.url, "queue": "q"}, CONTEXT)
        events = [notification("1"), notification("2", data="x" * LARGE), notification("3")]
        first, second, third = published(publisher, *events)
        assert (first, third) == (ACCEPTED, ACCEPTED)
        assert second.permanent
        assert not second.everybody
        assert [event["id"] for event in queue_events(server.url, "p-1", "q")] == ["1", "3"]


def test_numbers_keep_every_digit_on_their_way_into_a_queue() -> None:
    with ServerProcess("memory://") as server:
        body = b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":0.12345678901234567890}'
        publisher = QueuePublisher({"url": server.url, "queue": "q"}, CONTEXT)
        event = Notification(event=cloudevents.decode(body), project="p-1")
        assert published(publisher, event) == [ACCEPTED]


def test_without_a_key_for_its_project_a_notification_is_refused_for_good() -> None:
    options = {"url": "http://127.0.0.1:9", "queue": "q", "access": {"keys": {"other": "a key"}}}
    [verdict] = published(QueuePublisher(options, CONTEXT), notification("1"))
    assert verdict.permanent
    [verdict] = published(QueuePublisher(options, CONTEXT), notification("1", project=None))
    assert verdict.permanent


def test_keys_open_the_projects_that_they_are_for() -> None:
    with tempfile.TemporaryDirectory() as folder:
        keys = made_keys(f"{folder}/keys.json", "p-1", "p-2")
        with ServerProcess("memory://", "--auth", "keys", "--keys-file", f"{folder}/keys.json") as server:
            options = {"url": server.url, "queue": "q", "access": {"keys": {**keys, "p-3": keys["p-1"] + "x"}}}
            for project in ("p-1", "p-2"):
                assert published(QueuePublisher(options, CONTEXT), notification("1", project=project)) == [ACCEPTED]
            [verdict] = published(QueuePublisher(options, CONTEXT), notification("1", project="p-3"))
            assert (verdict.accepted, verdict.everybody, verdict.permanent) == (False, False, False)
            assert keys["p-1"] not in verdict.reason


def made_keys(file: str, *projects: str) -> dict[str, str]:
    """Make a file with a key for each project and return the keys."""
    import subprocess
    import sys

    def made(project: str) -> str:
        command = [sys.executable, "-m", "sukkal.cli", "key", "create", "--keys-file", file, "--project", project]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return {project: made(project) for project in projects}


@pytest.mark.parametrize(
    ("status", "everybody"),
    [(400, False), (413, False), (422, False), (401, True), (404, True), (429, True), (500, True)],
)
def test_an_answer_about_the_notification_is_told_from_one_about_the_receiver(status: int, everybody: bool) -> None:
    with Hook() as hook:
        hook.status = status
        publisher: SinkPublisher = webhook_publisher({"url": hook.url}, CONTEXT)
        first, second = published(publisher, notification("1"), notification("2"))
        assert (first.accepted, first.everybody) == (False, everybody)
        # The second waits for the first, and nothing is known of it.
        assert (second.accepted, second.everybody) == (False, True)
        assert hook.refused == 1

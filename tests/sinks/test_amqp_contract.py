"""AMQP passes the contract of sinks."""

from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import quote

import pytest

from sukkal.sink import Sink
from sukkal.sinks.amqp import AmqpSink
from sukkal.sinks.guard import Guard
from sukkal.testing.sink_contract import Receiver, SinkContract
from tests.clients.rabbitmq import PASSWORD, USER
from tests.sinks.amqp_receiver import EXCHANGE, KEY, AmqpReceiver
from tests.sinks.conftest import Broker


class TestAmqp(SinkContract):
    garbage = b"\xff no AMQP at all"
    # The first frame of a broker, without its end; and one that says that it has two gigabytes.
    beginning = b"\x01\x00\x00\x00\x00\x01\x00\x00\x0a\x00\x0a\x00\x09"
    endless = (b"\x01\x00\x00\x7f\xff\xff\xff", b"x" * 65_536)
    secret = PASSWORD

    @pytest.fixture(autouse=True)
    def _with(self, broker: Broker) -> None:
        self._broker = broker

    def make_sink(self) -> Sink:
        return AmqpSink(Guard("127.0.0.1"))

    def receiver(self) -> AbstractAsyncContextManager[Receiver]:
        return AmqpReceiver(self._broker)

    def subscriber(self, port: int) -> str:
        return f"amqp://{USER}:{self.secret}@127.0.0.1:{port}/?exchange={EXCHANGE}&routing_key={quote(KEY)}"

    def unusable(self) -> list[tuple[str, dict[str, Any]]]:
        return [
            ("amqp://127.0.0.1/", {}),
            ("amqp://10.0.0.1/?routing_key=a", {}),
            (f"amqp://u:{self.secret}@127.0.0.1/a/b?routing_key=a", {}),
            ("amqps://127.0.0.1/?routing_key=a&no_verify_ssl=1", {}),
        ]

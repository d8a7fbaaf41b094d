"""Webhooks pass the contract of sinks."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from sukkal.sink import Sink
from sukkal.sinks.guard import Guard
from sukkal.sinks.webhook import WebhookSink
from sukkal.testing.sink_contract import Receiver, SinkContract
from tests.sinks.webhook_receiver import WebhookReceiver


class TestWebhook(SinkContract):
    garbage = b"\x00\xff no HTTP \r\n\r\n"
    beginning = b"HTTP/1.1 200 OK\r\nContent-Ty"
    endless = (b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n")

    def make_sink(self) -> Sink:
        return WebhookSink(Guard("127.0.0.1"))

    def receiver(self) -> AbstractAsyncContextManager[Receiver]:
        receiver = WebhookReceiver()
        receiver.echo = True
        return receiver

    def subscriber(self, port: int) -> str:
        return f"http://user:{self.secret}@127.0.0.1:{port}/hook?token={self.secret}x"

    def options(self) -> dict[str, Any]:
        return {"post_headers": {"X-Auth-Token": f"{self.secret} 2"}}

    def unusable(self) -> list[tuple[str, dict[str, Any]]]:
        here = "http://127.0.0.1/"
        return [
            ("ftp://127.0.0.1/", {}),
            ("http://", {}),
            ("http://10.0.0.1/", {}),
            (here, {"method": "CONNECT"}),
            (here, {"post_headers": {"X": f"{self.secret}\r\nY: z"}}),
            (here, {"_signing_secrets": [self.secret]}),
        ]

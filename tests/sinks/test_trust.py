"""Webhooks with a token: they pass the contract of sinks, and a token that cannot be had is told as a failure."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from sukkal.errors import Forbidden, IdentityUnavailable, InvalidRequest
from sukkal.sink import Delivery, Sink
from sukkal.sinks.guard import Guard
from sukkal.sinks.trust import TrustSink
from sukkal.sinks.webhook import WebhookSink
from sukkal.testing.sink_contract import Receiver, SinkContract
from tests.sinks.webhook_receiver import WebhookReceiver


class TestTrust(SinkContract):
    garbage = b"no HTTP at all\r\n\r\n"
    beginning = b"HTTP/1.1 200 OK\r\nContent-Le"
    endless = (b"HTTP/1.1 200 OK\r\n", b"X-More: of the same\r\n")
    secret = "gAAAAAB-a-token-of-a-trust"

    def make_sink(self) -> Sink:
        async def token(delivery: Delivery) -> str:
            return self.secret

        return TrustSink(WebhookSink(Guard("127.0.0.1")), token, lambda delivery: None)

    def receiver(self) -> AbstractAsyncContextManager[Receiver]:
        receiver = WebhookReceiver()
        receiver.echo = True
        return receiver

    def subscriber(self, port: int) -> str:
        return f"trust+http://127.0.0.1:{port}/"

    def unusable(self) -> list[tuple[str, dict[str, Any]]]:
        return [
            ("trust+http://", {}),
            ("trust+https://10.0.0.1/", {}),
            ("trust+ftp://example.org/", {}),
            ("trust+http://127.0.0.1/", {"post_headers": {"x-auth-token": self.secret}}),
        ]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Forbidden("The trust has ended."), "trust has ended"),
        (IdentityUnavailable("secret details"), "Keystone cannot be asked"),
        (TimeoutError(), "within 5 seconds"),
    ],
)
def test_a_token_that_cannot_be_had_is_a_failure_that_may_pass(failure: Exception, words: str) -> None:
    async def token(delivery: Delivery) -> str:
        raise failure

    async def steps() -> None:
        webhooks = WebhookSink(Guard("127.0.0.1"))
        contract = TestTrust()
        outcome = await TrustSink(webhooks, token, lambda delivery: None).attempt(contract.delivery(1, timeout_s=5))
        contract.assert_failed(outcome)
        assert words in outcome.error
        assert not outcome.permanent
        await webhooks.close()

    asyncio.run(steps())


def test_a_token_that_is_waited_for_too_long_costs_only_the_time_of_the_attempt() -> None:
    async def token(delivery: Delivery) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    async def steps() -> None:
        webhooks = WebhookSink(Guard("127.0.0.1"))
        sink = TrustSink(webhooks, token, lambda delivery: None)
        async with asyncio.timeout(5):
            outcome = await sink.attempt(TestTrust().delivery(1, timeout_s=0.1))
        assert "0.1 seconds" in outcome.error
        await webhooks.close()

    asyncio.run(steps())


def test_headers_that_are_none_are_refused_before() -> None:
    sink = TestTrust().make_sink()
    for headers in ("x", ["x"], 5):
        with pytest.raises(InvalidRequest, match="post_headers"):
            sink.check("trust+http://example.org/", {"post_headers": headers})

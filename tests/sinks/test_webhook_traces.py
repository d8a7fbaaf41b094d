"""Webhooks of messages that belong to a trace."""

from msgspec import structs

from sukkal.sinks.webhook import WebhookSink
from sukkal.tracing import Trace
from tests.sinks.test_webhook import delivery, with_receiver
from tests.sinks.webhook_receiver import WebhookReceiver


def test_the_receiver_is_told_the_trace_unless_the_subscription_says_another() -> None:
    trace = Trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "vendor=1")

    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        await sink.attempt(structs.replace(delivery(url), trace=trace))
        await sink.attempt(structs.replace(delivery(url, post_headers={"Traceparent": "own"}), trace=trace))
        first, second = (taken.headers for taken in receiver.taken)
        assert (first["traceparent"], first["tracestate"]) == trace
        assert second["traceparent"] == "own"

    with_receiver(steps)

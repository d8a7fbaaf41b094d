"""What a sink remembers of the subscriptions that it delivers to."""

from typing import Any

import pytest
from msgspec.structs import replace

from sukkal import limits
from sukkal.sinks.webhook import WebhookSink
from tests.sinks.test_webhook import delivery, with_receiver
from tests.sinks.webhook_receiver import WebhookReceiver


def test_a_delivery_goes_as_its_subscription_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_TARGETS_REMEMBERED_MAX", 2)

    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        ways: list[tuple[str, dict[str, Any]]] = [
            (url, {"method": "PUT"}),
            (url, {"method": "PATCH"}),
            (f"{url}/other", {"method": "PATCH"}),
        ]
        for subscriber, options in 2 * ways:
            for id_ in 2 * ("s1", "s2", "s3"):
                wanted = replace(delivery(subscriber, **options), subscription_id=id_)
                assert (await sink.attempt(wanted)).delivered
                taken = receiver.taken[-1]
                assert (taken.method, subscriber) == (options["method"], url.removesuffix("/hook") + taken.path)
        wrong = await sink.attempt(delivery(url, method="WRONG"))
        assert wrong.permanent
        denied = await sink.attempt(delivery("http://10.0.0.1/"))
        again = await sink.attempt(delivery("http://10.0.0.1/"))
        assert denied == again
        assert denied.permanent

    with_receiver(steps)

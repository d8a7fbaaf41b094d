"""What counts as one endpoint for a breaker."""

import pytest

from sukkal.model import QueueKey, Subscription
from sukkal.service.breakers import endpoint_of


def order(subscriber: str, project: str = "p") -> Subscription:
    return Subscription(
        id="s",
        queue=QueueKey(project, "q"),
        subscriber=subscriber,
        ttl_s=60,
        options={},
        confirmed=True,
        created_ms=0,
        expires_ms=60_000,
    )


def test_paths_of_one_server_fail_together() -> None:
    assert endpoint_of(order("https://a.example/1")) == endpoint_of(order("https://a.example/2?x=1"))


@pytest.mark.parametrize("subscriber", ["http://shared.example/", "amqp://u:p@broker/x", "mailto:a@example.org"])
def test_what_one_project_does_wrong_pauses_nobody_elses_deliveries(subscriber: str) -> None:
    assert endpoint_of(order(subscriber)) != endpoint_of(order(subscriber, "other"))


def test_servers_ports_schemes_and_credentials_fail_apart() -> None:
    subscribers = ["http://a.example/", "http://a.example:81/", "https://a.example/", "amqp://u:p@a/", "amqp://u:x@a/"]
    assert len({endpoint_of(order(each)) for each in subscribers}) == len(subscribers)

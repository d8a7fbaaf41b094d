"""The whole service delivers to a real broker, if it is told to."""

import json
import sys

import pytest

from sukkal.app.sinks import installed_sinks
from sukkal.errors import SettingsError
from sukkal.settings import Settings
from tests.api.calling import Service, refused
from tests.clients.rabbitmq import PASSWORD, USER
from tests.sinks.amqp_receiver import QUEUE, AmqpReceiver
from tests.sinks.conftest import Broker

SUBSCRIPTIONS = "/v2/queues/q/subscriptions"


def test_what_is_posted_comes_to_the_queue_of_a_broker(broker: Broker) -> None:
    service = Service("memory://", amqp_subscribers=True, webhook_allow="127.0.0.1")
    receiver = AmqpReceiver(broker)
    service.run(receiver.__aenter__())
    try:
        subscriber = f"amqp://{USER}:{PASSWORD}@127.0.0.1:{broker.port}/?routing_key={QUEUE}"
        assert service.post(SUBSCRIPTIONS, json={"subscriber": subscriber}).status_code == 201
        ids = service.post_bodies({"a": 1}, 2)
        service.deliver()
        received = service.run(receiver.received())
        assert [each.id for each in received] == ids
        assert [json.loads(each.body)["body"] for each in received] == [{"a": 1}, 2]
    finally:
        service.run(receiver.__aexit__(None, None, None))
        service.close()


def test_brokers_are_no_subscribers_unless_the_operator_says_so() -> None:
    service = Service("memory://")
    refused(service.post(SUBSCRIPTIONS, json={"subscriber": "amqp://example.org/?exchange=e"}), 400, "supported")
    service.close()


def test_a_missing_library_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("sukkal.sinks.amqp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiormq", None)
    with pytest.raises(SettingsError, match=r"aiormq is missing: pip install 'sukkal\[amqp\]'"):
        installed_sinks(Settings(amqp_subscribers=True))

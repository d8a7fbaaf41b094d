"""AMQP: what is published, what brokers say, and how connections are shared."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiormq
import pytest
from msgspec import structs

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.sink import Delivery
from sukkal.sinks.amqp import AmqpSink
from sukkal.sinks.amqp.endpoint import parse
from sukkal.sinks.amqp.transport import GuardedTransport
from sukkal.sinks.guard import Guard
from sukkal.testing.peers import Peer, hangs, says
from sukkal.tracing import Trace
from tests.clients.rabbitmq import PASSWORD, USER
from tests.sinks.amqp_receiver import EXCHANGE, QUEUE, AmqpReceiver
from tests.sinks.conftest import Broker

PATIENCE_S: Final = 60
ROUTE: Final = f"exchange={EXCHANGE}&routing_key=a%20key"

Steps = Callable[[AmqpSink, AmqpReceiver], Awaitable[None]]


def delivery(subscriber: str, *, id_: str = "m-1", timeout_s: float = 30, project: str = "p") -> Delivery:
    return Delivery(
        id=id_,
        attempt=1,
        body=b'{"a":1}',
        ttl_s=300,
        posted_ms=0,
        project=project,
        queue_name="fizbit",
        subscription_id="s",
        subscriber=subscriber,
        options={},
        now_ms=1_700_000_000_999,
        timeout_s=timeout_s,
    )


def url(broker: Broker, *, vhost: str = "", password: str = PASSWORD, route: str = ROUTE) -> str:
    return f"amqp://{USER}:{password}@127.0.0.1:{broker.port}/{vhost}?{route}"


def with_receiver(broker: Broker, steps: Steps, **receiving: Any) -> None:
    """Take steps with a sink and a queue of the broker."""

    async def all_steps() -> None:
        sink = AmqpSink(Guard("127.0.0.1,localhost"), tls=broker.authority.client)
        async with asyncio.timeout(PATIENCE_S), AmqpReceiver(broker, **receiving) as receiver:
            await steps(sink, receiver)
            await sink.close()

    asyncio.run(all_steps())


# -- what is published ------------------------------------------------------------------------------------------------


def test_an_event_alone_is_published_as_such(broker: Broker) -> None:
    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        event = structs.replace(delivery(url(broker)), media_type="application/cloudevents+json")
        assert (await sink.attempt(event)).delivered
        await receiver.received()
        [message] = receiver.messages
        assert (message.body, message.header.properties.content_type) == (event.body, event.media_type)

    with_receiver(broker, steps)


def test_a_message_is_published_with_its_id_and_kept_by_the_broker(broker: Broker) -> None:
    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        assert (await sink.attempt(delivery(url(broker)))).delivered
        await receiver.received()
        [message] = receiver.messages
        assert json.loads(message.body) == {
            "ttl": 300,
            "body": {"a": 1},
            "Message_Type": "Notification",
            "queue_name": "fizbit",
        }
        properties = message.header.properties
        assert (properties.message_id, properties.content_type, properties.delivery_mode) == (
            "m-1",
            "application/json",
            2,
        )
        assert properties.timestamp is not None
        assert properties.timestamp.timestamp() == 1_700_000_000

    with_receiver(broker, steps)


def test_a_message_is_published_with_its_trace(broker: Broker) -> None:
    trace = Trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")

    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        assert (await sink.attempt(structs.replace(delivery(url(broker)), trace=trace))).delivered
        await receiver.received()
        [message] = receiver.messages
        assert message.header.properties.headers == {"traceparent": trace.parent}

    with_receiver(broker, steps)


def test_a_routing_key_alone_names_a_queue(broker: Broker) -> None:
    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        assert (await sink.attempt(delivery(url(broker, route=f"routing_key={QUEUE}")))).delivered
        assert len(await receiver.received()) == 1

    with_receiver(broker, steps)


def test_virtual_hosts_may_have_a_slash_in_their_name(broker: Broker) -> None:
    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        assert not (await sink.attempt(delivery(url(broker)))).delivered
        assert (await sink.attempt(delivery(url(broker, vhost="a%2Fb")))).delivered
        assert len(await receiver.received()) == 1

    with_receiver(broker, steps, vhost="a/b")


# -- what brokers say -------------------------------------------------------------------------------------------------


def test_a_message_that_no_queue_takes_is_not_delivered(broker: Broker) -> None:
    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        outcome = await sink.attempt(delivery(url(broker, route=f"exchange={EXCHANGE}&routing_key=other")))
        assert (outcome.delivered, outcome.permanent) == (False, False)
        assert "no queue" in outcome.error
        assert (await sink.attempt(delivery(url(broker)))).delivered

    with_receiver(broker, steps)


def test_a_message_that_a_full_queue_refuses_is_not_delivered(broker: Broker) -> None:
    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        assert (await sink.attempt(delivery(url(broker)))).delivered
        assert "did not take" in (await sink.attempt(delivery(url(broker)))).error

    with_receiver(broker, steps, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})


def test_an_exchange_that_is_not_there_is_told_and_disturbs_nobody(broker: Broker) -> None:
    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        missing = delivery(url(broker, route="exchange=missing"))
        outcomes = await asyncio.gather(
            *(sink.attempt(each) for _ in range(10) for each in (missing, delivery(url(broker))))
        )
        assert {outcome.error for outcome in outcomes[::2]} == {"The broker has no such exchange."}
        assert all(outcome.delivered for outcome in outcomes[1::2])

    with_receiver(broker, steps)


def test_the_same_message_for_two_routes_at_once_is_told_apart(broker: Broker) -> None:
    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        nowhere = delivery(url(broker, route=f"exchange={EXCHANGE}&routing_key=other"))
        outcomes = await asyncio.gather(
            *(sink.attempt(each) for _ in range(20) for each in (nowhere, delivery(url(broker))))
        )
        assert [outcome.delivered for outcome in outcomes] == [False, True] * 20

    with_receiver(broker, steps)


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"vhost": "closed"}, {"vhost": "missing"}])
def test_wrong_credentials_and_virtual_hosts_are_failures_that_may_pass(broker: Broker, wrong: dict[str, str]) -> None:
    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        outcome = await sink.attempt(delivery(url(broker, **wrong)))
        assert (outcome.delivered, outcome.permanent) == (False, False)
        assert "broker" in outcome.error

    with_receiver(broker, steps)


# -- TLS and the guard ------------------------------------------------------------------------------------------------


def test_certificates_are_checked_against_the_host_in_the_url_not_its_address(broker: Broker) -> None:
    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        by_name = f"amqps://{USER}:{PASSWORD}@localhost:{broker.tls_port}/?{ROUTE}"
        assert (await sink.attempt(delivery(by_name))).delivered
        assert not (await sink.attempt(delivery(by_name.replace("localhost", "127.0.0.1")))).delivered
        untrusting = AmqpSink(Guard("localhost"))
        assert not (await untrusting.attempt(delivery(by_name))).delivered
        await untrusting.close()

    with_receiver(broker, steps)


def test_nothing_is_sent_to_a_denied_address_and_nobody_is_told_whether_it_answers() -> None:
    async def steps() -> None:
        sink = AmqpSink(Guard())
        async with Peer(hangs) as peer:
            there = await sink.attempt(delivery(f"amqp://localhost:{peer.port}/?{ROUTE}"))
            assert there == await sink.attempt(delivery(f"amqp://localhost:1/?{ROUTE}"))
            assert there == await sink.attempt(delivery(f"amqp://unknown.invalid/?{ROUTE}"))
            assert "no address" in there.error
            assert peer.connections == 0
        await sink.close()

    asyncio.run(steps())


def test_all_addresses_of_a_host_are_tried() -> None:
    async def steps() -> None:
        async def lookup(host: str, port: int) -> list[str]:
            return ["127.0.0.2", "10.0.0.1", "127.0.0.1"]

        sink = AmqpSink(Guard("127.0.0.0/8", lookup=lookup))
        async with Peer(hangs) as peer:
            attempt = asyncio.create_task(sink.attempt(delivery(f"amqp://many.example:{peer.port}/?{ROUTE}")))
            async with asyncio.timeout(PATIENCE_S):
                await peer.heard.wait()
            attempt.cancel()
            await asyncio.wait({attempt})
        await sink.close()

    asyncio.run(steps())


def test_a_frame_that_says_that_it_is_huge_is_not_waited_for() -> None:
    async def steps() -> None:
        sink = AmqpSink(Guard("127.0.0.1"))
        async with asyncio.timeout(PATIENCE_S), Peer(says(b"\x01\x00\x00\x7f\xff\xff\xff")) as peer:
            outcome = await sink.attempt(delivery(f"amqp://127.0.0.1:{peer.port}/?{ROUTE}", timeout_s=5))
            assert not outcome.delivered
            assert "seconds" not in outcome.error
        await sink.close()

    asyncio.run(steps())


# -- connections ------------------------------------------------------------------------------------------------------


def test_attempts_at_one_endpoint_share_a_connection(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = _counted_openings(monkeypatch)

    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        await asyncio.gather(*(sink.attempt(delivery(url(broker), id_=f"m-{n}")) for n in range(20)))
        assert len(await receiver.received()) == 20

    with_receiver(broker, steps)
    assert len(opened) == 1


def test_a_connection_that_nobody_needs_is_closed_and_opened_again(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = _counted_openings(monkeypatch)
    monkeypatch.setattr(limits, "AMQP_IDLE_S", 0)
    closed = asyncio.Event()
    close = aiormq.Connection.close

    async def noted(self: aiormq.Connection, *arguments: Any) -> None:
        await close(self, *arguments)
        closed.set()

    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        monkeypatch.setattr(aiormq.Connection, "close", noted)
        for count in (1, 2):
            assert (await sink.attempt(delivery(url(broker)))).delivered
            assert len(opened) == count
            await closed.wait()
            closed.clear()

    with_receiver(broker, steps)


def test_the_number_of_connections_is_bounded(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "AMQP_CONNECTIONS_MAX", 1)

    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        assert (await sink.attempt(delivery(url(broker)))).delivered
        async with Peer(hangs) as peer:
            # What nobody uses makes room; what somebody uses does not.
            hanging = asyncio.create_task(sink.attempt(delivery(f"amqp://127.0.0.1:{peer.port}/?{ROUTE}")))
            await peer.heard.wait()
            refused = await sink.attempt(delivery(url(broker)))
            assert "Too many connections" in refused.error
            assert not refused.attempted
            hanging.cancel()
            await asyncio.wait({hanging})
            assert (await sink.attempt(delivery(url(broker)))).delivered

    with_receiver(broker, steps)


def test_a_project_has_a_share_of_the_connections(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "AMQP_CONNECTIONS_PER_PROJECT_MAX", 1)

    async def steps(sink: AmqpSink, receiver: AmqpReceiver) -> None:
        async with Peer(hangs) as peer, Peer(hangs) as second:
            first = f"amqp://127.0.0.1:{peer.port}/?{ROUTE}"
            hanging = asyncio.create_task(sink.attempt(delivery(first)))
            await peer.heard.wait()
            refused = await sink.attempt(delivery(url(broker)))
            assert (refused.delivered, refused.attempted) == (False, False)
            assert (await sink.attempt(delivery(url(broker), project="other"))).delivered
            # What another project has opened costs nothing to share.
            assert (await sink.attempt(delivery(url(broker)))).delivered
            hanging.cancel()
            await asyncio.wait({hanging})
            late = asyncio.create_task(sink.attempt(delivery(f"amqp://127.0.0.1:{second.port}/?{ROUTE}")))
            await second.heard.wait()
            late.cancel()
            await asyncio.wait({late})

    with_receiver(broker, steps)


def _counted_openings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    opened: list[str] = []
    create = GuardedTransport.create

    async def counted(self: GuardedTransport, address: Any, **options: Any) -> Any:
        opened.append(str(address.host))
        return await create(self, address, **options)

    monkeypatch.setattr(GuardedTransport, "create", counted)
    return opened


# -- what is refused before -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subscriber",
    [
        "amqp://",
        "amqp://example.org",
        "amqp://example.org/",
        "amqp://example.org/?exchange=",
        "amqp://example.org/?exchange=a&exchange=b",
        "amqp://example.org/?exchange=a&no_verify_ssl=1",
        "amqp://example.org/?exchange=a&cafile=x",
        "amqp://example.org/?exchange=a#b",
        "amqp://example.org/a/b?exchange=a",
        "amqp://example.org/?exchange=%00",
        "amqp://example.org/?exchange=%FF",
        "amqp://example.org/?routing_key=" + "a" * 256,
        "amqp://example.org:0/?exchange=a",
        "amqp://127.1/?exchange=a",
        "amqp://127.0.0.1/?exchange=a",
        "http://example.org/?exchange=a",
    ],
)
def test_subscribers_that_cannot_be_are_refused(subscriber: str) -> None:
    with pytest.raises(InvalidRequest, match="subscriber"):
        AmqpSink(Guard()).check(subscriber, {})


def test_what_a_uri_leaves_out_is_what_brokers_expect() -> None:
    endpoint, route = parse("amqps://Example.org?routing_key=a%2Bb+c")
    assert endpoint == ("amqps", "example.org", 5_671, "guest", "guest", "/")
    assert route == ("", "a+b+c")
    assert parse("amqp://u:p%40w@example.org/v?exchange=e")[0] == ("amqp", "example.org", 5_672, "u", "p@w", "v")


def test_an_endpoint_shows_no_password() -> None:
    endpoint, _ = parse("amqp://me:hidden-one@example.org/?exchange=e")
    assert "hidden" not in repr(endpoint)
    assert "hidden" not in str(endpoint.__rich_repr__())

"""Consumers on a WebSocket: messages come by themselves, claimed, a number of them ahead."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from sukkal.errors import StoreUnavailable
from sukkal.model import QueueKey
from tests.api.calling import OTHER_CLIENT, Service
from tests.api.sockets import Ended, Socket

KEY = QueueKey("p", "q")


def consume(socket: Socket, prefetch: int, status: int = 201, **more: Any) -> None:
    reply = socket.ask("claim_create", {"queue_name": "q", "prefetch": prefetch, **more})
    assert (reply.status, reply.body) == (status, {"prefetch": prefetch})


def taken(socket: Socket, count: int) -> list[dict[str, Any]]:
    return [socket.receive() for _ in range(count)]


def bodies(messages: list[dict[str, Any]]) -> list[Any]:
    return [each["body"] for each in messages]


def done(socket: Socket, message: dict[str, Any]) -> None:
    named = {"queue_name": "q", "message_id": message["message_id"], "claim_id": message["claim_id"]}
    assert socket.ask("message_delete", named).status == 204


def claimed(service: Service) -> int:
    count: int = service.get("/v2/queues/q/stats").json()["messages"]["claimed"]
    return count


@pytest.mark.parametrize("binary", [False, True])
def test_messages_come_claimed_as_many_as_were_asked_for_until_some_are_done(service: Service, binary: bool) -> None:
    service.post_bodies(*range(5))
    with Socket(service, binary=binary) as socket:
        consume(socket, 2)
        first = taken(socket, 2)
        assert bodies(first) == [0, 1]
        assert all(each["queue_name"] == "q" and each["claim_id"] for each in first)
        assert socket.silent()
        assert claimed(service) == 2
        done(socket, first[0])
        assert bodies(taken(socket, 1)) == [2]
        assert socket.silent()
        named = {"queue_name": "q", "message_ids": [first[1]["message_id"]]}
        assert socket.ask("message_delete_many", named).status == 204
        assert bodies(taken(socket, 1)) == [3]
        assert service.get("/v2/queues/q/stats").json()["messages"]["total"] == 3


def test_a_message_comes_when_it_is_posted(service: Service) -> None:
    with Socket(service) as socket:
        consume(socket, 10)
        assert socket.silent()
        service.post_bodies("x")
        assert bodies(taken(socket, 1)) == ["x"]
        message = {"body": "y", "reply_to": "r", "correlation_id": "c"}
        service.post("/v2/queues/q/messages", json={"messages": [message]})
        (pushed,) = taken(socket, 1)
        assert (pushed["body"], pushed["reply_to"], pushed["correlation_id"]) == ("y", "r", "c")


def test_competing_consumers_take_turns(service: Service) -> None:
    with Socket(service) as one, Socket(service, client=OTHER_CLIENT) as other:
        for socket in (one, other):
            consume(socket, 10)
            assert socket.silent()
        for number in range(6):
            service.post_bodies(number)
            assert bodies(taken((one, other)[number % 2], 1)) == [number]
        assert one.silent()
        assert other.silent()


def test_what_is_held_goes_back_when_the_connection_ends(service: Service) -> None:
    service.post_bodies(0, 1, 2)
    with Socket(service) as other:
        with Socket(service) as socket:
            consume(socket, 2)
            done(socket, taken(socket, 2)[0])
            taken(socket, 1)
            consume(other, 5)
            assert other.silent()
        assert sorted(bodies(taken(other, 2))) == [1, 2]


def test_a_message_that_is_released_makes_room_and_comes_to_somebody(service: Service) -> None:
    service.post_bodies(0, 1)
    with Socket(service) as socket:
        consume(socket, 1)
        (message,) = taken(socket, 1)
        named = {"queue_name": "q", "message_id": message["message_id"], "claim_id": message["claim_id"]}
        assert socket.ask("claim_release", named | {"delay": 5}).status == 204
        (message,) = taken(socket, 1)
        assert message["body"] == 1
        socket.ask("claim_delete", {"queue_name": "q", "claim_id": message["claim_id"]})
        assert bodies(taken(socket, 1)) == [1]


def test_claims_are_renewed_while_the_consumer_lives(service: Service) -> None:
    service.post_bodies("x", ttl=3_600)
    with Socket(service) as socket:
        consume(socket, 1, ttl=60)
        (message,) = taken(socket, 1)
        (connection,) = service.app.sockets.connections
        for _ in range(5):
            service.pass_s(40)
            service.run(connection.consumers[KEY].renew())
        assert claimed(service) == 1
        done(socket, message)


def test_a_renewal_notices_what_was_done_elsewhere(service: Service) -> None:
    service.post_bodies(0, 1, 2, 3, ttl=3_600)
    with Socket(service) as socket:
        consume(socket, 2, ttl=60)
        first = taken(socket, 2)
        service.delete(f"/v2/queues/q/messages/{first[0]['message_id']}?claim_id={first[0]['claim_id']}")
        (connection,) = service.app.sockets.connections
        service.run(connection.consumers[KEY].renew())
        assert bodies(taken(socket, 1)) == [2]
        service.pass_s(60)  # the claims end unrenewed
        service.run(connection.consumers[KEY].renew())
        assert sorted(bodies(taken(socket, 2))) == [1, 3]  # what was never claimed comes before what was


def test_the_numbers_can_be_changed_and_nothing_more_taken(service: Service) -> None:
    with Socket(service) as socket:
        consume(socket, 1)
        assert socket.silent()
        consume(socket, 0, status=200)
        service.post_bodies(0, 1, 2)
        assert socket.silent()
        consume(socket, 1)
        held = taken(socket, 1)
        consume(socket, 2, status=200)
        held += taken(socket, 1)
        assert bodies(held) == [0, 1]
        assert socket.silent()
        assert claimed(service) == 2
        consume(socket, 0, status=200)
        done(socket, held[0])
        consume(socket, 1, status=200)
        done(socket, held[1])
        assert bodies(taken(socket, 1)) == [2]


def test_a_reader_that_does_not_read_has_one_message_waiting(service: Service) -> None:
    with Socket(service) as socket:
        consume(socket, 20)
        assert socket.silent()
        socket.deafen()
        for number in range(12):
            service.post_bodies(f"{number}" + "x" * 200_000)
        assert socket.silent()
        (connection,) = service.app.sockets.connections
        assert connection._unread_bytes < 2 * 201_000
        socket.listen()
        assert len(taken(socket, 12)) == 12


def test_a_consumer_ends_when_the_service_stops(service: Service) -> None:
    with Socket(service) as socket:
        consume(socket, 3)
        assert socket.silent()
        service.app.waiting.close()
        service.app.sockets.connections.stop()
        with pytest.raises(Ended) as end:
            socket.receive()
        assert end.value.code == 1001


def test_a_shorter_claim_is_renewed_in_its_own_time(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    sleep = asyncio.sleep

    async def recorded(delay: float, *result: Any) -> None:
        if delay > 1:
            slept.append(delay)
            await asyncio.get_running_loop().create_future()
        await sleep(delay, *result)

    with Socket(service) as socket:
        monkeypatch.setattr(asyncio, "sleep", recorded)
        consume(socket, 1, ttl=3_600)
        assert socket.silent()
        consume(socket, 1, status=200, ttl=60)
        service.post_bodies("x", ttl=3_600)
        assert bodies(taken(socket, 1)) == ["x"]  # held for 60 seconds
        assert slept[-1] == 20


def test_a_connection_that_has_stopped_consuming_may_consume_elsewhere(service: Service) -> None:
    with Socket(service) as socket:
        for number in range(101):
            name = f"q{number}"
            begun = socket.ask("claim_create", {"queue_name": name, "prefetch": 1})
            assert begun.status == 201, (number, begun.body)
            assert socket.ask("claim_create", {"queue_name": name, "prefetch": 0}).status == 200


def test_what_was_deleted_by_a_request_that_was_refused_for_the_rest_makes_room(start: Callable[..., Service]) -> None:
    service = start(message_delete_with_claim_id=True)
    service.post_bodies(0, 1)
    with Socket(service) as socket:
        consume(socket, 1)
        (first,) = taken(socket, 1)
        (waiting,) = [
            each for each in service.get("/v2/queues/q/messages?echo=true").json()["messages"] if each["body"] == 1
        ]
        ids = [first["message_id"], waiting["id"]]
        named = {"queue_name": "q", "message_ids": ids, "claim_ids": [first["claim_id"]]}
        socket.ask("message_delete_many", named).refused(403)
        assert bodies(taken(socket, 1)) == [1]


def test_the_claim_of_a_consumer_that_a_client_cannot_reach_any_more_is_let_go(service: Service) -> None:
    """A claim that came while the connection was closing is given back at its end."""
    with Socket(service) as socket:
        consume(socket, 5)
        assert socket.silent()
        service.post_bodies(0, 1, 2)
    assert any(service.get("/v2/queues/q/stats").json()["messages"]["claimed"] == 0 for _ in range(500))


def test_prefetch_is_kept_when_a_claim_ends_and_its_messages_come_again(service: Service) -> None:
    service.post_bodies(0, 1, 2, 3, ttl=36_000)
    with Socket(service) as socket:
        consume(socket, 2, ttl=60)
        taken(socket, 2)
        service.pass_s(61)
        (connection,) = service.app.sockets.connections
        (consumer,) = connection.consumers.values()
        service.run(consumer.renew())
        taken(socket, 2)
        assert socket.silent()
        assert service.get("/v2/queues/q/stats").json()["messages"]["claimed"] == 2


def test_renewing_what_one_holds_does_not_make_others_look_in_vain(service: Service) -> None:
    with Socket(service) as holder, Socket(service) as other:
        consume(holder, 20)
        assert holder.silent()
        for number in range(20):
            service.post_bodies(number, ttl=3_600)
        taken(holder, 20)
        consume(other, 1)
        assert other.silent()
        store: Any = service.app.services.claims._store
        claim, looks = store.claim, []

        async def counted(*what: Any, **more: Any) -> Any:
            looks.append(what)
            return await claim(*what, **more)

        store.claim = counted
        (consumer,) = [
            each
            for connection in service.app.sockets.connections
            for each in connection.consumers.values()
            if each._held
        ]
        service.run(consumer.renew())
        assert other.silent()
        for _ in range(5):
            assert other.silent()
        assert len(looks) <= 1


def test_one_claim_that_cannot_be_renewed_does_not_end_the_others(service: Service) -> None:
    with Socket(service) as socket:
        consume(socket, 5, ttl=60)
        for number in range(5):
            service.post_bodies(number, ttl=3_600)
            taken(socket, 1)
        (connection,) = service.app.sockets.connections
        claims: Any = service.app.services.claims
        extend, asked = claims.extend, []

        async def failing(key: Any, claim_id: str, **more: Any) -> None:
            asked.append(claim_id)
            if len(asked) == 1:
                raise StoreUnavailable("The disk is full.")
            await extend(key, claim_id, **more)

        claims.extend = failing
        service.pass_s(40)
        service.run(connection.consumers[KEY].renew())
        service.pass_s(40)
        assert claimed(service) == 4


def test_claims_are_renewed_also_of_what_cannot_be_read_any_more(start: Callable[..., Service]) -> None:
    service = start(encryption_keys="k1:" + "A" * 43 + "=")
    service.put("/v2/queues/q", json={"_enable_encrypt_messages": True})
    service.post_bodies(0, 1, ttl=3_600)
    with Socket(service) as socket:
        consume(socket, 2, ttl=60)
        first, _ = taken(socket, 2)
        (connection,) = service.app.sockets.connections
        store: Any = service.app.services.claims._store
        store._encryption.replace_keys({})
        service.delete(f"/v2/queues/q/messages/{first['message_id']}?claim_id={first['claim_id']}")
        consumer = connection.consumers[KEY]
        service.pass_s(40)
        service.run(consumer.renew())
        assert list(consumer._held) != []
        assert first["message_id"] not in consumer._held
        service.pass_s(40)
        service.run(consumer.renew())
        assert len(consumer._held) == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"prefetch": -1}, "prefetch"),
        ({"prefetch": 1_001}, "prefetch"),
        ({"prefetch": "x"}, "prefetch"),
        ({"prefetch": 1, "ttl": 1}, "TTL"),
        ({"prefetch": 1, "grace": 1}, "grace"),
    ],
)
def test_numbers_that_cannot_be_kept_to_are_refused(service: Service, wrong: dict[str, Any], words: str) -> None:
    with Socket(service) as socket:
        socket.ask("claim_create", {"queue_name": "q", **wrong}).refused(400, words)

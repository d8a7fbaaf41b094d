"""Consumers on a WebSocket: messages come by themselves, claimed, a number of them ahead."""

from typing import Any

import pytest

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
        consume(socket, 2, status=200)
        assert bodies(taken(socket, 2)) == [0, 1]
        assert socket.silent()
        assert claimed(service) == 2


def test_a_slow_reader_has_one_message_waiting(service: Service) -> None:
    for number in range(3):
        service.post_bodies(f"{number}" + "x" * 200_000)
    with Socket(service) as socket:
        consume(socket, 20)
        assert [body[0] for body in bodies(taken(socket, 3))] == ["0", "1", "2"]


def test_a_consumer_ends_when_the_service_stops(service: Service) -> None:
    with Socket(service) as socket:
        consume(socket, 3)
        assert socket.silent()
        service.app.waiting.close()
        service.app.sockets.connections.stop()
        with pytest.raises(Ended) as end:
            socket.receive()
        assert end.value.code == 1001


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

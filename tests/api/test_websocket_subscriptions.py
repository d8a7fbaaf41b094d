"""Subscriptions over WebSocket: those of other subscribers, and those of the connection itself."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import pytest

from sukkal.model import QueueKey
from tests.api.calling import CLIENT, OTHER_CLIENT, Service, refused
from tests.api.sockets import Ended, Socket

KEY: Final = base64.b64encode(b"k" * 32).decode()


@pytest.fixture(params=["text", "binary"])
def socket(service: Service, request: pytest.FixtureRequest) -> Iterator[Socket]:
    with Socket(service, binary=request.param == "binary") as socket:
        yield socket


def test_a_subscriber_is_subscribed_shown_changed_and_let_go(socket: Socket) -> None:
    made = socket.ask("subscription_create", {"queue_name": "q", "subscriber": "http://example.org/", "ttl": 600})
    assert made.status == 201
    assert made.body["message"] == "Subscription q created."
    named = {"queue_name": "q", "subscription_id": made.body["subscription_id"]}
    assert socket.ask("subscription_update", {**named, "ttl": 700}).status == 204
    (listed,) = socket.ask("subscription_list", {"queue_name": "q"}).body["subscriptions"]
    assert (listed["id"], listed["ttl"], listed["source"]) == (named["subscription_id"], 700, "q")
    assert socket.ask("subscription_get", named).body == listed
    assert socket.ask("delivery_list", named).body == {"deliveries": [], "dropped": 0}
    assert socket.ask("delivery_redrive", named).body == {"redriven": 0}
    assert socket.ask("subscription_confirm", {**named, "confirmed": True}).status == 204
    assert socket.ask("subscription_get", named).body["confirmed"] is True
    assert socket.ask("subscription_delete", named).status == 204
    socket.ask("subscription_get", named).refused(404, "Subscription")


def watch(socket: Socket, queue: str = "q", **more: Any) -> dict[str, Any]:
    """Subscribe the connection and return the answer."""
    reply = socket.ask("subscription_create", {"queue_name": queue, **more})
    assert reply.status == 201, reply.body
    body: dict[str, Any] = reply.body
    return body


def heard(socket: Socket, count: int) -> list[Any]:
    return [socket.receive()["body"] for _ in range(count)]


def wait_for_a_page(service: Service, place: str) -> None:
    """Let the service go on until it has read a first page for the only connection."""
    (connection,) = service.app.sockets.connections
    for _ in range(100):
        service.get("/v2/ping")
        if connection.own and str(connection.own[QueueKey("p", "q")].ear.place) != place:
            return
    raise AssertionError("no page was read")


def quiet(socket: Socket) -> bool:
    """Tell whether nothing was pushed: the next frame answers what is asked now."""
    return socket.ask("queue_list").status == 200


def test_what_is_posted_is_pushed_as_subscribers_know_it(service: Service, socket: Socket) -> None:
    made = watch(socket, ttl=600)
    assert made == {"subscription_id": made["subscription_id"], "message": "Subscription q created."}
    service.post_bodies({"a": [1]}, "text", ttl=300)
    for body in ({"a": [1]}, "text"):
        assert socket.receive() == {"ttl": 300, "body": body, "Message_Type": "Notification", "queue_name": "q"}
    with Socket(service, client=OTHER_CLIENT) as other:
        other.ask("message_post", {"queue_name": "q", "messages": [{"body": 1, "ttl": 300, "delay": 60}]})
    pushed = {"ttl": 300, "body": 1, "delay": 60, "Message_Type": "Notification", "queue_name": "q"}
    assert socket.receive() == pushed
    assert service.bodies("?echo=true&include_delayed=true") == [{"a": [1]}, "text", 1], "listening takes nothing"


def test_a_push_has_the_encoding_in_which_it_was_asked_for(service: Service, socket: Socket) -> None:
    watch(socket)
    socket.send(json.dumps({"action": "queue_list", "headers": {"Client-ID": CLIENT, "X-Project-ID": "p"}}))
    assert "text" in socket.raw()
    service.post_bodies(1)
    assert ("bytes" in socket.raw()) == socket.binary


def test_each_gets_its_own_encoding_and_positions_if_it_asked_for_them(service: Service) -> None:
    with Socket(service) as plain, Socket(service) as placed, Socket(service, binary=True) as packed:
        watch(plain)
        watch(placed, resume=True)
        watch(packed)
        service.post_bodies(1)
        assert "position" not in json.loads(plain.raw()["text"])
        assert "position" in json.loads(placed.raw()["text"])
        assert "bytes" in packed.raw()


def test_a_connection_hears_its_own_posts_after_their_answer(socket: Socket) -> None:
    watch(socket)
    reply = socket.ask("message_post", {"queue_name": "q", "messages": [{"body": 1}]})
    assert reply.status == 201
    assert socket.receive()["body"] == 1


def test_subscribing_again_changes_nothing(service: Service, socket: Socket) -> None:
    assert watch(socket)["subscription_id"] == watch(socket)["subscription_id"]
    service.post_bodies(1)
    assert heard(socket, 1) == [1]
    assert quiet(socket)


def test_a_queue_that_is_subscribed_to_is_there(service: Service, socket: Socket) -> None:
    watch(socket)
    assert [each["name"] for each in service.get("/v2/queues").json()["queues"]] == ["q"]


def test_the_connections_own_subscription_is_shown_to_it_alone_and_let_go(service: Service, socket: Socket) -> None:
    named = {"queue_name": "q", "subscription_id": watch(socket, ttl=600, options={"a": 1})["subscription_id"]}
    service.pass_s(7)
    (listed,) = socket.ask("subscription_list", {"queue_name": "q"}).body["subscriptions"]
    assert (listed["id"], listed["source"], listed["ttl"]) == (named["subscription_id"], "q", 600)
    assert (listed["age"], listed["options"]) == (7, {"a": 1})
    assert socket.ask("subscription_get", named).body == listed
    with Socket(service) as other:
        assert other.ask("subscription_list", {"queue_name": "q"}).body == {"subscriptions": []}
        other.ask("subscription_get", named).refused(404)
    assert socket.ask("subscription_delete", named).status == 204
    service.post_bodies(1)
    assert quiet(socket)
    assert len(service.app.listeners) == 0


def test_a_subscription_ends_with_its_connection(service: Service) -> None:
    with Socket(service) as socket:
        watch(socket)
        watch(socket, "other")
        assert len(service.app.listeners) == 2
    assert len(service.app.listeners) == 0


def test_other_queues_and_other_projects_are_not_heard(service: Service, socket: Socket) -> None:
    watch(socket)
    service.post_bodies(1, queue="other")
    with Socket(service, project="another") as other:
        other.ask("message_post", {"queue_name": "q", "messages": [{"body": 2}]})
    assert quiet(socket)


def test_everybody_hears_everything_in_the_order_of_posting(service: Service, socket: Socket) -> None:
    with Socket(service) as second, Socket(service, binary=True) as third:
        for each in (socket, second, third):
            watch(each)
        for number in range(50):
            service.post_bodies(number)
        for each in (socket, second, third):
            assert heard(each, 50) == list(range(50))


def test_a_dead_letter_is_heard_by_those_who_watch_its_queue(service: Service, socket: Socket) -> None:
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    watch(socket, "dead")
    service.post_bodies("x")
    service.claim(ttl=60)
    service.pass_s(61)
    service.sweep()
    assert heard(socket, 1) == ["x"]


def test_an_encrypted_queue_is_heard_in_the_clear() -> None:
    with closing(Service("memory://", encryption_keys=f"k:{KEY}")) as service, Socket(service) as socket:
        service.put("/v2/queues/q", json={"_enable_encrypt_messages": True})
        place = watch(socket, resume=True)["position"]
        service.post_bodies("secret")
        assert heard(socket, 1) == ["secret"]
        with Socket(service) as later:
            assert watch(later, resume=place)["recovered"] is True
            assert heard(later, 1) == ["secret"]


# -- coming back


def test_positions_come_only_when_asked_for(service: Service, socket: Socket) -> None:
    made = watch(socket, resume=True)
    (id_,) = service.post_bodies(1)
    pushed = socket.receive()
    assert list(pushed) == ["ttl", "body", "Message_Type", "queue_name", "message_id", "position"]
    assert pushed["message_id"] == id_
    assert pushed["position"] != made["position"]
    assert "recovered" not in made


@pytest.mark.parametrize("history", [0, 3600])
def test_whoever_comes_back_is_told_what_it_missed(service: Service, history: int) -> None:
    service.put("/v2/queues/q", json={"_history": history})
    with Socket(service) as socket:
        watch(socket, resume=True)
        service.post_bodies(1)
        place = socket.receive()["position"]
    service.post_bodies(2, 3)
    with Socket(service) as socket:
        made = watch(socket, resume=place)
        assert (made["recovered"], made["position"]) == (True, place)
        service.post_bodies(4)
        assert heard(socket, 3) == [2, 3, 4]
        assert quiet(socket)


@pytest.mark.parametrize("history", [0, 3600])
def test_what_was_missed_comes_as_it_would_have_come_at_once(service: Service, history: int) -> None:
    service.put("/v2/queues/q", json={"_history": history})
    with Socket(service) as socket:
        place = watch(socket, resume=True)["position"]
        service.post_bodies(1, ttl=60)
        service.post_bodies(2, ttl=7_200, delay=10)
        at_once = [socket.receive(), socket.receive()]
    with Socket(service) as socket:
        assert watch(socket, resume=place)["recovered"] is True
        assert [socket.receive(), socket.receive()] == at_once


def test_a_position_from_before_the_first_post_is_as_good_as_any(service: Service) -> None:
    for settings in ({}, {"_history": 60}):
        service.delete("/v2/queues/q")
        service.put("/v2/queues/q", json=settings)
        with Socket(service) as socket:
            place = watch(socket, resume=True)["position"]
        with Socket(service) as socket:
            assert watch(socket, resume=place)["recovered"] is True
        service.post_bodies(1)
        with Socket(service) as socket:
            assert watch(socket, resume=place)["recovered"] is True
            assert heard(socket, 1) == [1]


def test_what_was_consumed_meanwhile_is_said_to_be_missing(service: Service) -> None:
    with Socket(service) as socket:
        place = watch(socket, resume=True)["position"]
    service.post_bodies(1, 2)
    service.delete("/v2/queues/q/messages?pop=1")
    with Socket(service) as socket:
        assert watch(socket, resume=place)["recovered"] is False
        assert heard(socket, 1) == [2]


def test_a_history_tells_also_what_was_consumed_as_long_as_it_reaches(service: Service) -> None:
    service.put("/v2/queues/q", json={"_history": 3_600})
    with Socket(service) as socket:
        place = watch(socket, resume=True)["position"]
    service.post_bodies(1, 2, ttl=60)
    service.delete("/v2/queues/q/messages?pop=1")
    service.pass_s(3_599)
    service.sweep()
    service.post_bodies(3)
    with Socket(service) as socket:
        assert watch(socket, resume=place)["recovered"] is True
        assert heard(socket, 3) == [1, 2, 3]
        last = watch(socket, resume=place)["position"]
    service.pass_s(1)
    with Socket(service) as socket:
        assert watch(socket, resume=last)["recovered"] is False
        assert heard(socket, 1) == [3]


@pytest.mark.parametrize("history", [0, 3600])
@pytest.mark.parametrize("way", ["purge", "delete"])
def test_a_queue_that_was_emptied_has_no_past(service: Service, history: int, way: str) -> None:
    service.put("/v2/queues/q", json={"_history": history})
    with Socket(service) as socket:
        watch(socket, resume=True)
        service.post_bodies(1)
        place = socket.receive()["position"]
    service.post_bodies(2)
    if way == "purge":
        service.post("/v2/queues/q/purge", json={"resource_types": ["messages"]})
    else:
        service.delete("/v2/queues/q")
        service.put("/v2/queues/q", json={"_history": history})
    service.post_bodies(3)
    with Socket(service) as socket:
        assert watch(socket, resume=place)["recovered"] is False
        assert heard(socket, 1) == [3]
        assert quiet(socket)


def test_turning_the_history_on_and_off_is_never_taken_for_nothing_missed(service: Service) -> None:
    service.put("/v2/queues/q", json={})
    places = []
    for history in (None, 3_600, None):
        change = {"op": "add", "path": "/metadata/_history", "value": history}
        kind = "application/openstack-messaging-v2.0-json-patch"
        assert service.patch("/v2/queues/q", json=[change], headers={"content-type": kind}).status_code == 200
        with Socket(service) as socket:
            watch(socket, resume=True)
            service.post_bodies(1)
            places.append(socket.receive()["position"])
    recovered = []
    for place in places[1:]:
        with Socket(service) as socket:
            recovered.append(watch(socket, resume=place)["recovered"])
    assert recovered == [False, True]


def test_much_that_was_missed_comes_in_order_with_what_is_posted_meanwhile(service: Service) -> None:
    with Socket(service) as socket:
        place = watch(socket, resume=True)["position"]
    for first in range(0, 240, 20):
        service.post_bodies(*range(first, first + 20))
    with Socket(service) as socket:
        socket.deafen()
        socket.begin("subscription_create", {"queue_name": "q", "resume": place})
        service.post_bodies(*range(240, 260))
        socket.listen()
        assert socket.receive()["body"]["recovered"] is True
        service.post_bodies(260)
        assert heard(socket, 261) == list(range(261))
        assert quiet(socket)


def test_whoever_loses_messages_while_catching_up_is_sent_away_and_told_why(service: Service) -> None:
    with Socket(service) as socket:
        place = watch(socket, resume=True)["position"]
    for first in range(0, 240, 20):
        service.post_bodies(*range(first, first + 20))
    with Socket(service) as socket:
        socket.deafen()
        socket.begin("subscription_create", {"queue_name": "q", "resume": place})
        wait_for_a_page(service, place)
        for _ in range(12):
            assert service.delete("/v2/queues/q/messages?pop=20").status_code == 200
        socket.listen()
        assert socket.receive()["body"]["recovered"] is True
        with pytest.raises(Ended, match="removed before they could be read"):
            heard(socket, 241)


@pytest.mark.parametrize("resume", ["", "x", "1", "1.2.3", "-1.2", "1.-2", "٣.٤", "1" * 50 + ".1", 5, {"a": 1}])
def test_a_position_that_is_none_is_refused(socket: Socket, resume: object) -> None:
    socket.ask("subscription_create", {"queue_name": "q", "resume": resume}).refused(400)


def test_positions_of_other_stores_say_nothing(service: Service) -> None:
    service.post_bodies(1)
    with Socket(service) as socket:
        assert watch(socket, resume="999999.999999999")["recovered"] is False
        assert heard(socket, 1) == [1]


def test_a_connection_subscribes_to_a_bounded_number_of_queues(socket: Socket) -> None:
    for number in range(100):
        watch(socket, f"q{number}")
    socket.ask("subscription_create", {"queue_name": "q100"}).refused(400, "100 queues")
    watch(socket, "q99")


# -- queues that store nothing


def test_a_queue_without_memory_tells_those_who_listen_now(service: Service, socket: Socket) -> None:
    service.put("/v2/queues/q", json={"_persistence": "none"})
    posted = {"messages": [{"body": 1, "ttl": 60}]}
    assert service.post("/v2/queues/q/messages", json=posted).json()["listeners"] == 0
    watch(socket, resume=True)
    assert service.post("/v2/queues/q/messages", json=posted).json()["listeners"] == 1
    pushed = socket.receive()
    assert (pushed["body"], pushed["ttl"], "position" in pushed) == (1, 60, False)
    reply = socket.ask("message_post", {"queue_name": "q", "messages": [{"body": 2}]})
    assert reply.body["listeners"] == 1
    assert heard(socket, 1) == [2]
    assert service.bodies() == []


def test_a_queue_without_memory_takes_no_delays(service: Service) -> None:
    service.put("/v2/queues/q", json={"_persistence": "none"})
    delayed = service.post("/v2/queues/q/messages", json={"messages": [{"body": 1, "delay": 5}]})
    refused(delayed, 400, "stores nothing")
    refused(service.put("/v2/queues/other", json={"_persistence": "some"}), 400, "_persistence")
    refused(service.put("/v2/queues/other", json={"_history": 1_209_601}), 400, "_history", "1209600")


def test_nothing_is_pushed_between_a_frame_and_its_answer_unless_that_waits(service: Service, socket: Socket) -> None:
    watch(socket)
    socket.begin("claim_create", {"queue_name": "other", "wait": 20})
    service.post_bodies(1)
    assert heard(socket, 1) == [1]
    service.post_bodies(2, queue="other")
    assert socket.receive()["headers"]["status"] == 201

"""What listeners are promised holds in the corners, too: nothing is missed without a word, and nobody is kept."""

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sukkal.model import QueueKey
from tests.api.calling import Service, refused
from tests.api.sockets import Ended, Socket
from tests.api.streams import Refused, Stream

PATCH = {"content-type": "application/openstack-messaging-v2.0-json-patch"}


def change(service: Service, name: str, value: Any) -> None:
    changes = [{"op": "add", "path": f"/metadata/{name}", "value": value}]
    assert service.patch("/v2/queues/q", json=changes, headers=PATCH).status_code == 200


def subscribe(socket: Socket, **more: Any) -> dict[str, Any]:
    reply = socket.ask("subscription_create", {"queue_name": "q", **more})
    assert reply.status == 201, reply.body
    body: dict[str, Any] = reply.body
    return body


def test_a_client_that_goes_away_in_the_middle_of_an_answer_is_forgotten(service: Service) -> None:
    post, gate = service.app.services.messages.post, asyncio.Event()

    async def slow(*what: Any, **more: Any) -> Any:
        await gate.wait()
        return await post(*what, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service.app.services.messages, "post", slow)
        socket = Socket(service)
        socket.begin("message_post", {"queue_name": "q", "messages": [{"body": 1}]})
        while socket.unreceived:
            service.get("/v2/ping")
        service.run(asyncio.sleep(0))
        gate.set()
        socket.close()
    assert len(service.app.sockets.connections) == 0
    assert service.bodies() == [1], "what was begun is brought to its end"


@pytest.mark.parametrize("body", ['{\n  "a":\r\n 1\n\n}', "[1,\n\n2]", '\n"x"\n'])
def test_a_body_of_several_lines_is_one_event(service: Service, body: str) -> None:
    with Stream(service) as stream:
        service.post("/v2/queues/q/messages", content='{"messages": [{"body": ' + body + "}]}")
        assert stream.bodies(1) == [json.loads(body)]


def test_what_was_posted_while_there_was_no_history_is_not_promised(service: Service) -> None:
    service.put("/v2/queues/q", json={"_history": 3_600})
    with Stream(service) as stream:
        service.post_bodies(1)
        last = stream.event()["id"]
    change(service, "_history", 0)
    service.post_bodies(2)
    change(service, "_history", 3_600)
    service.post_bodies(3)
    with Stream(service, headers={"last-event-id": last}) as stream:
        assert stream.ready["data"]["recovered"] is False


def test_a_queue_that_stores_nothing_promises_nothing(service: Service) -> None:
    service.put("/v2/queues/q", json={"_persistence": "none"})
    with Stream(service) as stream:
        last = stream.ready["id"]
    service.post_bodies(1)
    with Stream(service, headers={"last-event-id": last}) as stream:
        assert stream.ready["data"]["recovered"] is False


@pytest.mark.parametrize("history_s", [0, 3_600])
def test_what_was_posted_while_the_queue_stored_nothing_is_missed_with_a_word(service: Service, history_s: int) -> None:
    service.put("/v2/queues/q", json={"_history": history_s})
    with Stream(service) as stream:
        service.post_bodies(1)
        last = stream.event()["id"]
    change(service, "_persistence", "none")
    service.post_bodies("gone")
    change(service, "_persistence", "durable")
    service.post_bodies(2)
    assert service.bodies() == [1, 2], "what was stored before stays"
    with Stream(service, headers={"last-event-id": last}) as stream:
        assert stream.ready["data"]["recovered"] is False
        event = stream.event()
        assert event["data"]["body"] == 2
        last = event["id"]
    service.post_bodies(3)
    with Stream(service, headers={"last-event-id": last}) as stream:
        assert stream.ready["data"]["recovered"] is True
        assert stream.bodies(1) == [3]


def test_whoever_came_while_the_queue_stored_nothing_is_told_as_well(service: Service) -> None:
    service.put("/v2/queues/q", json={"_persistence": "none"})
    with Stream(service) as stream:
        last = stream.ready["id"]
    service.post_bodies("gone")
    changes = [{"op": "remove", "path": "/metadata/_persistence"}]
    assert service.patch("/v2/queues/q", json=changes, headers=PATCH).status_code == 200
    with Stream(service, headers={"last-event-id": last}) as stream:
        assert stream.ready["data"]["recovered"] is False


def test_other_changes_of_a_queue_leave_positions_good(service: Service) -> None:
    with Stream(service) as stream:
        service.post_bodies(1)
        last = stream.event()["id"]
    for name, value in (("colour", "red"), ("_persistence", "durable"), ("_default_message_ttl", 300)):
        change(service, name, value)
    with Stream(service, headers={"last-event-id": last}) as stream:
        assert stream.ready["data"]["recovered"] is True


@pytest.mark.parametrize("then", ["nothing", "another", "cleared"])
def test_a_queue_that_was_made_and_deleted_meanwhile_is_not_passed_over(service: Service, then: str) -> None:
    with Stream(service) as stream:
        last = stream.ready["id"]
    service.post_bodies(1)
    if then == "cleared":
        service.post("/v2/queues/q/purge", json={"resource_types": ["messages"]})
    else:
        service.delete("/v2/queues/q")
    if then == "another":
        service.post_bodies(2)
    with Stream(service, headers={"last-event-id": last}) as stream:
        assert stream.ready["data"]["recovered"] is False


def test_whoever_came_before_the_queue_and_missed_nothing_is_told_so(service: Service) -> None:
    with Stream(service) as stream:
        last = stream.ready["id"]
    with Stream(service, headers={"last-event-id": last}) as stream:
        assert stream.ready["data"] == {"position": last, "recovered": True}
    service.post_bodies(1, 2)
    service.delete("/v2/queues/other")
    for _ in range(2):
        with Stream(service, headers={"last-event-id": last}) as stream:
            assert stream.ready["data"]["recovered"] is True
            assert stream.bodies(2) == [1, 2]
    service.delete("/v2/queues/q/messages?pop=1")
    with Stream(service, headers={"last-event-id": last}) as stream:
        assert stream.ready["data"]["recovered"] is False
        assert stream.bodies(1) == [2]


@pytest.mark.parametrize("attributes", [{"_persistence": "none"}, {"_history": 60}])
def test_whoever_came_before_a_queue_of_which_that_cannot_be_known_is_not_told_so(
    service: Service, attributes: dict[str, Any]
) -> None:
    with Stream(service) as stream:
        last = stream.ready["id"]
    service.put("/v2/queues/q", json=attributes)
    service.post_bodies(1)
    with Stream(service, headers={"last-event-id": last}) as stream:
        assert stream.ready["data"]["recovered"] is False


def test_a_place_from_before_the_queue_is_good_after_a_restart_of_a_store_that_lasts(tmp_path: Path) -> None:
    def started(number: int) -> Service:
        return Service(f"sqlite:///{tmp_path}", first_id=1 + 1_000 * number)

    with closing(started(0)) as service, Stream(service) as stream:
        last = stream.ready["id"]
    with closing(started(1)) as service:
        service.post_bodies(1)
        with Stream(service, headers={"last-event-id": last}) as stream:
            assert stream.ready["data"]["recovered"] is True
            assert stream.bodies(1) == [1]
        service.delete("/v2/queues/q")
    with closing(started(2)) as service:
        service.post_bodies(2)
        with Stream(service, headers={"last-event-id": last}) as stream:
            assert stream.ready["data"]["recovered"] is False


def test_a_place_before_a_queue_of_a_store_that_is_lost_is_good_for_nothing() -> None:
    with closing(Service("memory://")) as service:
        service.post_bodies(0, queue="other")
        with Stream(service) as stream:
            last = stream.ready["id"]
    with closing(Service("memory://")) as service:
        service.pass_s(60)
        service.post_bodies(1)
        with Stream(service, headers={"last-event-id": last}) as stream:
            assert stream.ready["data"]["recovered"] is False


def test_a_number_that_messagepack_has_no_form_for_is_pushed_as_text(service: Service) -> None:
    with Socket(service, binary=True) as socket, Stream(service) as stream:
        subscribe(socket)
        posted = service.post("/v2/queues/q/messages", content='{"messages": [{"body": 1e400}, {"body": 2}]}')
        assert posted.status_code == 201
        assert '"body":1e400' in socket.raw()["text"]
        assert socket.receive()["body"] == 2
        assert stream.bodies(2)[1] == 2
        socket.begin("message_list", {"queue_name": "q", "echo": True})
        assert "1e400" in socket.raw()["text"]


def test_whoever_unsubscribes_while_it_catches_up_hears_no_more(service: Service) -> None:
    with Socket(service) as socket:
        place = subscribe(socket, resume=True)["position"]
    for _ in range(10):
        service.post_bodies(*["x" * 10_000] * 20)
    with Socket(service) as socket:
        socket.deafen()
        socket.begin("subscription_create", {"queue_name": "q", "resume": place})
        while len(service.app.listeners) == 0:
            service.get("/v2/ping")
        (connection,) = service.app.sockets.connections
        while not connection.own:
            service.get("/v2/ping")
        id_ = connection.own[QueueKey("p", "q")].id
        socket.begin("subscription_delete", {"queue_name": "q", "subscription_id": id_})
        socket.listen()
        pushes = 0
        assert socket.receive()["headers"]["status"] == 201
        while "headers" not in (frame := socket.receive()):
            pushes += 1
        assert frame["headers"]["status"] == 204
        assert pushes < 200
        assert socket.ask("queue_list").status == 200, "and nothing else is pushed"


def test_a_post_that_is_cancelled_leaves_listeners_in_no_doubt(start: Callable[..., Service]) -> None:
    service = start(own=False)
    publish = service.app.deliveries._letters._posting._store.publish
    begun, gate = asyncio.Event(), asyncio.Event()

    async def slow(*what: Any, **more: Any) -> Any:
        begun.set()
        await gate.wait()
        return await publish(*what, **more)

    async def cancelled() -> None:
        posting = asyncio.ensure_future(
            service.request("POST", "/v2/queues/q/messages", json={"messages": [{"body": 1}]})
        )
        await begun.wait()
        ended.append(await service.app.listeners.begin(QueueKey("p", "q"), lambda _: None, reasons.append, since=None))
        posting.cancel()
        await asyncio.wait((posting,))

    ended: list[Any] = []
    reasons: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service.app.deliveries._letters._posting._store, "publish", slow)
        service.run(cancelled())
    assert len(reasons) == 1
    assert "Come back" in reasons[0]


@pytest.mark.parametrize("where", ["socket", "stream"])
def test_nobody_begins_to_listen_to_a_service_that_stops(service: Service, where: str) -> None:
    service.app.listeners.close()
    if where == "stream":
        with pytest.raises(Refused, match="503"):
            Stream(service)
    else:
        with Socket(service) as socket:
            socket.ask("subscription_create", {"queue_name": "q"}).refused(503)


@pytest.mark.parametrize("origin", ["http://[", "null", "http://other.example"])
def test_an_origin_that_may_not_connect_is_refused(service: Service, origin: str) -> None:
    with pytest.raises(Ended) as ended:
        Socket(service, headers={"Origin": origin, "Host": "service"})
    assert ended.value.code == 403


def test_a_signed_url_of_one_queue_forwards_to_no_other() -> None:
    with closing(Service("memory://", signed_url_keys="k" * 32)) as service:
        service.put("/v2/queues/other")
        wanted = {"paths": ["messages", "subscriptions"], "methods": ["POST"]}
        signed = service.post("/v2/queues/q/share", json=wanted).json()
        headers = {
            "URL-Paths": ",".join(signed["paths"]),
            "URL-Methods": ",".join(signed["methods"]),
            "X-Project-Id": signed["project"],
            "URL-Expires": signed["expires"],
            "URL-Signature": signed["signature"],
        }
        order = {"subscriber": "queue:other", "ttl": 300}
        refused(service.post("/v2/queues/q/subscriptions", json=order, headers=headers, project=None), 403, "forwarded")

"""Calls: a request in a queue, a consumer that replies, and the caller who waits for it."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.calling import OTHER_CLIENT, Service, refused
from tests.api.faces import Face, Refusal
from tests.api.sockets import Socket

CLAIMS = "/v2/queues/rpc/claims?wait=60&limit=1"


def begin(service: Service, body: object, query: str = "", **more: object) -> "asyncio.Task[httpx.Response]":
    """Begin a call."""
    request = service.request("POST", f"/v2/queues/rpc/call{query}", json={"body": body, **more})
    return asyncio.ensure_future(request)


async def serve(service: Service, answer: Callable[[Any], Any], count: int = 1) -> None:
    """Be a consumer: claim requests one by one, reply to each and delete it."""
    for _ in range(count):
        claimed = await service.request("POST", CLAIMS, client=OTHER_CLIENT)
        (request,) = claimed.json()["messages"]
        reply = {"body": answer(request["body"]), "correlation_id": request["correlation_id"]}
        path = f"/v2/queues/{request['reply_to']}/messages"
        assert (await service.request("POST", path, json={"messages": [reply]})).status_code == 201
        assert (await service.request("DELETE", request["href"])).status_code == 204


async def turns() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


async def turns_until(service: Service, *, count: int) -> None:
    """Let the service go on until so many messages are there."""
    for _ in range(500):
        listed = await service.request("GET", "/v2/queues/rpc/messages?echo=true")
        if len(listed.json()["messages"]) == count:
            return
        await turns()
    raise AssertionError("the messages have not become so many")


def test_a_call_returns_the_reply(service: Service) -> None:
    async def scenario() -> None:
        call = begin(service, {"method": "add", "of": [1, 2]})
        await serve(service, lambda body: sum(body["of"]))
        response = await call
        assert response.status_code == 200
        assert response.json()["body"] == 3
        assert response.json()["id"]

    service.run(scenario())
    assert service.get("/v2/queues/rpc/stats").json()["messages"]["total"] == 0


def test_a_reply_that_comes_before_anybody_waits_is_found(service: Service) -> None:
    async def scenario() -> None:
        server = asyncio.ensure_future(serve(service, lambda body: body))
        await turns()
        assert (await begin(service, "quick")).json()["body"] == "quick"
        await server

    service.run(scenario())


def test_each_of_many_callers_gets_its_own_reply(service: Service) -> None:
    async def scenario() -> None:
        calls = [begin(service, number) for number in range(20)]
        await asyncio.gather(*(serve(service, lambda body: body * 2, 5) for _ in range(4)))
        assert [(await call).json()["body"] for call in calls] == [number * 2 for number in range(20)]

    service.run(scenario())


def test_a_websocket_may_call_and_reply(service: Service) -> None:
    with Socket(service) as caller, Socket(service, client=OTHER_CLIENT, binary=True) as server:
        caller.begin("message_call", {"queue_name": "rpc", "body": {"n": 1}, "timeout": 20})
        claimed = server.ask("claim_create", {"queue_name": "rpc", "wait": 20}).body
        (request,) = claimed["messages"]
        assert request["body"] == {"n": 1}
        reply = {"body": {"n": 2}, "correlation_id": request["correlation_id"]}
        server.ask("message_post", {"queue_name": request["reply_to"], "messages": [reply]})
        answer = caller.receive()
        assert answer["headers"]["status"] == 200
        assert answer["body"] == {"id": request["id"], "body": {"n": 2}}


def test_a_call_that_nobody_takes_ends_and_leaves_nothing(service: Service) -> None:
    refused(service.post("/v2/queues/rpc/call?timeout=1", json={"body": 1}), 504, "in time", title="No reply")
    assert service.bodies(queue="rpc") == []
    with Socket(service) as socket:
        socket.ask("message_call", {"queue_name": "rpc", "body": 1, "timeout": 1}).refused(504, "in time")
    assert service.bodies(queue="rpc") == []


def test_a_call_that_is_claimed_when_its_time_is_over_stays_with_the_claimer(service: Service) -> None:
    async def scenario() -> None:
        call = begin(service, "slow", "?timeout=1")
        claimed = await service.request("POST", CLAIMS)
        assert (await call).status_code == 504
        (request,) = claimed.json()["messages"]
        reply = {"messages": [{"body": "late", "correlation_id": request["correlation_id"]}]}
        late = await service.request("POST", f"/v2/queues/{request['reply_to']}/messages", json=reply)
        assert late.json()["listeners"] == 0

    service.run(scenario())
    assert service.bodies("?echo=true&include_claimed=true", queue="rpc") == ["slow"]


def test_the_request_of_a_caller_who_went_away_is_withdrawn(service: Service) -> None:
    async def scenario() -> None:
        call = begin(service, "gone", "?timeout=60")
        await turns_until(service, count=1)
        call.cancel()
        await turns_until(service, count=0)

    service.run(scenario())


def test_the_first_reply_counts_and_others_reach_nobody(service: Service) -> None:
    async def scenario() -> None:
        call = begin(service, 1)
        claimed = await service.request("POST", CLAIMS)
        (request,) = claimed.json()["messages"]
        path = f"/v2/queues/{request['reply_to']}/messages"
        same = request["correlation_id"]
        wrong = [{"body": "no id"}, {"body": "wrong id", "correlation_id": "x" + same}]
        right = [{"body": "first", "correlation_id": same}, {"body": "second", "correlation_id": same}]
        await service.request("POST", "/v2/queues/other/messages", json={"messages": [right[1]]})
        theirs = {"messages": [{"body": "of another project", "correlation_id": same}]}
        await service.request("PUT", path.removesuffix("/messages"), json={"_persistence": "none"}, project="other")
        await service.request("POST", path, json=theirs, project="other")
        await service.request("POST", path, json={"messages": [*wrong, *right]})
        assert (await call).json()["body"] == "first"

    service.run(scenario())


def test_calls_in_an_encrypted_queue_are_answered(start: Callable[..., Service]) -> None:
    service = start(encryption_keys="k1:" + "A" * 43 + "=")
    service.put("/v2/queues/rpc", json={"_enable_encrypt_messages": True})

    async def scenario() -> None:
        call = begin(service, "secret")
        await serve(service, lambda body: body.upper())
        assert (await call).json()["body"] == "SECRET"

    service.run(scenario())


async def reply_queue(service: Service) -> str:
    """Make a call that is answered, and return where the reply went."""
    call = begin(service, 1)
    claimed = await service.request("POST", CLAIMS)
    (request,) = claimed.json()["messages"]
    path = f"/v2/queues/{request['reply_to']}/messages"
    reply = {"messages": [{"body": "reply", "correlation_id": request["correlation_id"]}]}
    assert (await service.request("POST", path, json=reply)).status_code == 201
    await service.request("DELETE", request["href"])
    answer = await call
    assert (answer.status_code, answer.json()["body"]) == (200, "reply")
    return f"/v2/queues/{request['reply_to']}"


def queues(service: Service) -> list[str]:
    return [each["name"] for each in service.get("/v2/queues").json()["queues"]]


def test_replies_leave_nothing_however_late_they_come(service: Service) -> None:
    replies = service.run(reply_queue(service))
    late = {"messages": [{"body": "late", "correlation_id": "of-long-ago"}]}
    for _ in range(2):
        answer = service.post(f"{replies}/messages", json=late, client=OTHER_CLIENT)
        assert (answer.status_code, answer.json()["listeners"]) == (201, 0)
        assert queues(service) == ["rpc"]
        assert service.run(reply_queue(service)) == replies
        service.pass_s(86_400)
        service.sweep()


@pytest.mark.parametrize("metadata", [{}, {"_delay": 1, "_history": 60}, {"_expires_after": 1}])
def test_replies_reach_the_caller_whatever_a_queue_of_that_name_is(service: Service, metadata: dict[str, int]) -> None:
    replies = service.run(reply_queue(service))
    assert service.put(replies, json=metadata).status_code == 201
    service.run(reply_queue(service))
    assert service.get(f"{replies}/stats").json()["messages"]["total"] == 0
    service.delete(replies)
    service.run(reply_queue(service))
    assert queues(service) == ["rpc"]


def test_replies_reach_the_caller_while_idle_queues_go(service: Service) -> None:
    async def scenario() -> None:
        await reply_queue(service)
        service.pass_s(3_600)
        call = begin(service, "x")
        await turns()
        await service.app.sweeper.sweep()
        await serve(service, lambda body: body)
        assert (await call).status_code == 200

    service.run(scenario())


def test_nobody_calls_a_queue_for_replies(service: Service) -> None:
    replies = service.run(reply_queue(service))
    refused(service.post(f"{replies}/call?timeout=1", json={"body": 1}), 400, "stores nothing")


@pytest.mark.parametrize("name", ["replies-", "replies-orders", "my-replies-00000000-0000-7000-8000-000000000001"])
def test_a_queue_that_is_called_much_the_same_stores_what_is_posted(service: Service, name: str) -> None:
    service.post_bodies(1, queue=name)
    assert service.bodies(queue=name) == [1]


def test_a_topic_of_such_a_name_is_a_topic(service: Service) -> None:
    path = service.run(reply_queue(service)).replace("queues", "topics")
    assert "listeners" not in service.post(f"{path}/messages", json={"messages": [{"body": 1}]}).json()


def test_a_project_with_as_many_queues_as_it_may_have_can_still_call(service: Service) -> None:
    service.put("/v2/queues/rpc", json={})
    answer = service.put("/v2/limits/p", json={"queues": 1}, headers={"x-roles": "admin"}, project="operators")
    assert answer.status_code == 200
    service.run(reply_queue(service))


def test_the_request_of_a_websocket_that_went_away_is_withdrawn(service: Service) -> None:
    socket = Socket(service)
    socket.begin("message_call", {"queue_name": "rpc", "body": 1, "timeout": 60})
    service.run(turns_until(service, count=1))
    socket.close()
    service.run(turns_until(service, count=0))


# -- by hand


def test_a_message_says_where_a_reply_goes_wherever_it_is_shown(face: Face, service: Service) -> None:
    both = {"reply_to": "my-replies", "correlation_id": "ünïque 1"}
    (id_, plain) = face.post("q", {"body": 1, **both}, {"body": 2})
    listed = service.get("/v2/queues/q/messages?echo=true").json()["messages"]
    got = service.get(f"/v2/queues/q/messages/{id_}").json()
    with Socket(service) as socket:
        frame = socket.ask("message_get", {"queue_name": "q", "message_id": id_}).body["messages"]
        listed_frames = socket.ask("message_list", {"queue_name": "q", "echo": True}).body["messages"]
    for shown in (listed[0], got, frame, listed_frames[0]):
        assert {name: shown[name] for name in both} == both
    for other in (listed[1], listed_frames[1], service.get(f"/v2/queues/q/messages/{plain}").json()):
        assert not both.keys() & other.keys()
    claimed = service.claim("?limit=1")[1]
    popped = service.delete("/v2/queues/q/messages?pop=1").json()["messages"]
    assert claimed[0]["reply_to"] == "my-replies"
    assert not both.keys() & popped[0].keys()


def test_a_dead_letter_still_says_where_a_reply_goes(service: Service) -> None:
    service.put("/v2/queues/q", json={"_dead_letter_queue": "dead", "_max_claim_count": 1})
    message = {"body": 1, "ttl": 3_600, "reply_to": "r", "correlation_id": "c"}
    service.post("/v2/queues/q/messages", json={"messages": [message]})
    service.claim(ttl=60)
    service.pass_s(60)
    service.sweep()
    (letter,) = service.get("/v2/queues/dead/messages?echo=true&detailed=true").json()["messages"]
    assert (letter["reply_to"], letter["correlation_id"]) == ("r", "c")
    assert letter["dead_letter"]["queue"] == "q"


@pytest.mark.parametrize(
    "wrong", [{"reply_to": "a/b"}, {"reply_to": ""}, {"reply_to": 1}, {"correlation_id": ""}, {"correlation_id": [1]}]
)
def test_where_no_reply_can_go_is_refused(face: Face, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match=next(iter(wrong))) as refusal:
        face.post("q", {"body": 1, **wrong})
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("query", "body", "words"),
    [
        ("?timeout=0", {"body": 1}, "timeout"),
        ("?timeout=61", {"body": 1}, "timeout"),
        ("?timeout=x", {"body": 1}, "timeout"),
        ("", {}, '"body"'),
        ("", [], "Document type"),
        ("", {"body": 1, "ttl": "x"}, "ttl"),
        ("", {"body": 1, "ttl": 1}, "TTL"),
        ("", {"body": 1, "delay": 5}, '"delay"'),
        ("", {"body": 1, "reply_to": "mine"}, '"reply_to"'),
        ("", {"body": 1, "correlation_id": "mine"}, '"correlation_id"'),
    ],
)
def test_a_call_that_cannot_be_made_is_refused(service: Service, query: str, body: Any, words: str) -> None:
    refused(service.post(f"/v2/queues/rpc/call{query}", json=body), 400, words)


def test_nobody_calls_a_queue_that_stores_nothing(service: Service) -> None:
    service.put("/v2/queues/rpc", json={"_persistence": "none"})
    refused(service.post("/v2/queues/rpc/call", json={"body": 1}), 400, "_persistence")

"""Waiting for messages over HTTP."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from sukkal.model import QueueKey
from tests.api.calling import CLIENT, OTHER_CLIENT, Service
from tests.api.sockets import Socket


async def turns(count: int = 300) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def waits(service: Service, method: str, path: str) -> "asyncio.Task[httpx.Response]":
    """Begin a request that waits, and return when it does."""
    task = asyncio.ensure_future(service.request(method, path))
    await turns()
    assert not task.done()
    return task


def post(service: Service, body: object, **message: int) -> "asyncio.Future[httpx.Response]":
    document = {"messages": [{"body": body, **message}]}
    return asyncio.ensure_future(service.request("POST", "/v2/queues/q/messages", json=document))


def test_a_claim_that_waits_is_answered_when_a_message_is_posted(service: Service) -> None:
    async def scenario() -> None:
        waiting = await waits(service, "POST", "/v2/queues/q/claims?wait=60")
        await post(service, "x")
        response = await waiting
        assert response.status_code == 201
        assert response.json()["messages"][0]["body"] == "x"

    service.run(scenario())


def test_a_listing_that_waits_is_answered_when_a_message_is_posted(service: Service) -> None:
    async def scenario() -> None:
        waiting = [await waits(service, "GET", "/v2/queues/q/messages?echo=true&wait=60") for _ in range(2)]
        await post(service, "x")
        for task in waiting:
            assert (await task).json()["messages"][0]["body"] == "x"

    service.run(scenario())


def test_a_claim_that_waits_is_answered_when_another_is_released(service: Service) -> None:
    service.post_bodies("x", "y")
    claim, messages = service.claim()

    async def scenario() -> None:
        waiting = await waits(service, "POST", "/v2/queues/q/claims?limit=1&wait=60")
        await service.request("PATCH", f"{claim}/messages/{messages[1]['id']}")
        assert (await waiting).json()["messages"][0]["body"] == "y"
        waiting = await waits(service, "POST", "/v2/queues/q/claims?limit=1&wait=60")
        await service.request("DELETE", claim)
        assert (await waiting).json()["messages"][0]["body"] == "x"

    service.run(scenario())


def test_a_claim_that_waits_is_answered_when_a_delay_ends(service: Service) -> None:
    async def scenario() -> None:
        waiting = await waits(service, "POST", "/v2/queues/q/claims?wait=60")
        await post(service, "x", delay=1)
        await turns()
        service.clock.advance(1_000)  # The alarm was set when the message came; a second later it rings.
        assert (await waiting).json()["messages"][0]["body"] == "x"

    service.run(scenario())


def test_each_message_goes_to_one_of_those_who_wait(service: Service) -> None:
    async def scenario() -> None:
        waiting = [await waits(service, "POST", "/v2/queues/q/claims?limit=1&wait=60") for _ in range(5)]
        for number in range(5):
            await post(service, number)
        bodies = [(await task).json()["messages"][0]["body"] for task in waiting]
        assert sorted(bodies) == list(range(5))

    service.run(scenario())


def test_what_is_there_is_answered_at_once(service: Service) -> None:
    service.post_bodies(1)
    assert service.post("/v2/queues/q/claims?wait=60").status_code == 201
    service.post_bodies(2)
    assert len(service.get("/v2/queues/q/messages?wait=60&echo=true").json()["messages"]) == 1


def test_the_wait_ends(service: Service) -> None:
    assert service.post("/v2/queues/q/claims?wait=1").status_code == 204
    assert service.get("/v2/queues/q/messages?wait=1").json() == {"messages": [], "links": []}


def test_the_claim_of_a_caller_who_went_away_is_given_back(service: Service) -> None:
    async def scenario() -> None:
        waiting = await waits(service, "POST", "/v2/queues/q/claims?wait=60")
        posting = post(service, "x")
        for _ in range(3):
            await asyncio.sleep(0)
        waiting.cancel()
        await posting
        response = await service.request("POST", "/v2/queues/q/claims?wait=60")
        assert response.json()["messages"][0]["body"] == "x"

    service.run(scenario())


def test_takers_that_come_back_at_once_are_served_in_turn(service: Service) -> None:
    served: list[str] = []

    async def take(name: str, client: str) -> None:
        while True:
            claim = await service.request("POST", "/v2/queues/q/claims?limit=1&wait=60", client=client)
            if claim.json()["messages"][0]["body"] == "end":
                return
            served.append(name)

    async def scenario() -> None:
        clients = {name: f"6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b5{number}" for number, name in enumerate("abc")}
        # Two claims each, so that one that is not back in time does not lose its client's turn.
        takers = [asyncio.ensure_future(take(name, client)) for name, client in clients.items() for _ in range(2)]
        for _ in range(200):
            await asyncio.sleep(0)
        for number in range(30):
            await post(service, number)
        for _ in takers:
            await post(service, "end")
        await asyncio.gather(*takers)

    service.run(scenario())
    assert served == list("abc") * 10


def test_more_messages_than_waiters_are_all_taken(service: Service) -> None:
    async def scenario() -> None:
        first = await waits(service, "POST", "/v2/queues/q/claims?limit=1&wait=60")
        bodies = [{"body": number} for number in range(3)]
        posted = asyncio.ensure_future(service.request("POST", "/v2/queues/q/messages", json={"messages": bodies}))
        others = [
            asyncio.ensure_future(service.request("POST", "/v2/queues/q/claims?limit=1&wait=60")) for _ in range(2)
        ]
        await posted
        taken = [(await task).json()["messages"][0]["body"] for task in (first, *others)]
        assert sorted(taken) == [0, 1, 2]

    service.run(scenario())


async def turns_until(condition: Callable[[], bool]) -> None:
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it has not come to that")


def begun(service: Service, method: str, path: str, client: str) -> "asyncio.Task[Any]":
    return asyncio.ensure_future(service.request(method, path, client=client))


def test_a_listing_that_was_woken_in_vain_is_woken_by_the_next_message(service: Service) -> None:
    async def scenario() -> None:
        other = begun(service, "GET", "/v2/queues/q/messages?wait=60", OTHER_CLIENT)
        await turns()
        # This one does not want its own messages.
        own = begun(service, "GET", "/v2/queues/q/messages?wait=60", CLIENT)
        await turns()
        await post(service, "mine")
        assert (await other).json()["messages"][0]["body"] == "mine"
        await turns()
        assert not own.done()
        theirs = {"messages": [{"body": "theirs"}]}
        await service.request("POST", "/v2/queues/q/messages", json=theirs, client=OTHER_CLIENT)
        await turns()
        try:
            assert own.done()
        finally:
            own.cancel()

    service.run(scenario())


def test_an_idle_queue_stays_while_a_listing_that_was_woken_in_vain_waits(service: Service) -> None:
    service.put("/v2/queues/q", json={"_expires_after": 50})

    async def scenario() -> bool:
        other = begun(service, "GET", "/v2/queues/q/messages?wait=60", OTHER_CLIENT)
        await turns()
        own = begun(service, "GET", "/v2/queues/q/messages?wait=60", CLIENT)
        await turns()
        await post(service, "mine")
        await other
        await turns()
        service.pass_s(50)
        await service.app.sweeper.sweep()
        there = (await service.request("GET", "/v2/queues?limit=5")).json()["queues"]
        own.cancel()
        return bool(there)

    assert service.run(scenario())


def test_consumers_of_several_clients_each_have_their_turn(service: Service) -> None:
    third = "1d0c6e9a-1b52-4bd9-a5f7-6ac2e86e94a2"
    got = {"one": 0, "two": 0, "claims": 0}
    with Socket(service, client=CLIENT) as one, Socket(service, client=OTHER_CLIENT) as two:
        for socket in (one, two):
            socket.ask("claim_create", {"queue_name": "q", "prefetch": 100})
            assert socket.silent()

        async def claim() -> None:
            while got["claims"] < 100:
                answer = await service.request("POST", "/v2/queues/q/claims?wait=60&limit=1", client=third)
                got["claims"] += len(answer.json()["messages"]) if answer.status_code == 201 else 0

        def all_wait() -> bool:
            place = service.app.waiting._places[QueueKey("p", "q")]
            return len(place.takers) == 4 and not place.on_their_way

        async def feed() -> None:
            claimers = [asyncio.ensure_future(claim()) for _ in range(2)]
            for number in range(12):
                await turns_until(all_wait)
                await post(service, number)
            await turns_until(all_wait)
            for each in claimers:
                each.cancel()

        service.run(feed())
        for name, socket in (("one", one), ("two", two)):
            while not socket.silent():
                socket.receive()
                got[name] += 1
    assert got == {"one": 4, "two": 4, "claims": 4}


def test_consumers_who_come_one_by_one_while_many_messages_are_posted_all_get_one(service: Service) -> None:
    stuck: list[int] = []

    async def scenario(queue: str, after: int) -> None:
        path = f"/v2/queues/{queue}/claims?wait=60&limit=1"
        first = begun(service, "POST", path, OTHER_CLIENT)
        await turns()
        document = {"messages": [{"body": number} for number in range(4)]}
        posting = asyncio.ensure_future(service.request("POST", f"/v2/queues/{queue}/messages", json=document))
        await turns(after)
        second = begun(service, "POST", path, CLIENT)
        await posting
        assert (await first).status_code == 201
        await turns()
        third = begun(service, "POST", path, OTHER_CLIENT)
        await asyncio.wait((second, third), timeout=1)
        if not (second.done() and third.done()):
            stuck.append(after)
        second.cancel()
        third.cancel()

    for after in range(120):
        service.run(scenario(f"q{after}", after))
        if stuck:
            break
    assert stuck == []

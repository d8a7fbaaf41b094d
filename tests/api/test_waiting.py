"""Waiting for messages over HTTP."""

import asyncio

import httpx

from tests.api.calling import Service


async def waits(service: Service, method: str, path: str) -> "asyncio.Task[httpx.Response]":
    """Begin a request that waits, and return when it does."""
    task = asyncio.ensure_future(service.request(method, path))
    for _ in range(200):
        await asyncio.sleep(0)
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

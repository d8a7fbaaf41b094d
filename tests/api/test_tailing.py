"""Following a queue with waits: what comes next, and only that."""

import asyncio
from typing import Any, Final

import httpx
import pytest

from tests.api.calling import CLIENT, OTHER_CLIENT, Service

MESSAGES: Final = "/v2/queues/q/messages"
ANSWERED_WITHIN_S: Final = 20


async def settle() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(200):
        await asyncio.sleep(0)


async def begin(service: Service, method: str, path: str, **more: Any) -> "asyncio.Task[httpx.Response]":
    """Begin a request that waits."""
    task = asyncio.ensure_future(service.request(method, path, **more))
    await settle()
    assert not task.done()
    return task


async def answer(waiting: "asyncio.Task[httpx.Response]") -> httpx.Response:
    """Return the answer of a request that has been woken; one that only ran out of time would come too late."""
    return await asyncio.wait_for(waiting, ANSWERED_WITHIN_S)


async def post(service: Service, body: Any, *, path: str = MESSAGES, client: str = CLIENT, project: str = "p") -> None:
    document = {"messages": [{"body": body}]}
    response = await service.request("POST", path, json=document, client=client, project=project)
    assert response.status_code == 201


def bodies_of(response: httpx.Response) -> list[Any]:
    return [each["body"] for each in response.json()["messages"]]


@pytest.mark.parametrize("version", ["v2", "v1.1"])
def test_a_reader_at_the_end_hears_what_comes_next(service: Service, version: str) -> None:
    ids = service.post_bodies(0, 1)
    path = f"/{version}/queues/q/messages?echo=true&wait=60&marker={ids[-1]}"

    async def tail() -> list[Any]:
        nonlocal path
        heard: list[Any] = []
        for number in (2, 3, 4):
            waiting = await begin(service, "GET", path)
            await post(service, number)
            response = await answer(waiting)
            heard += bodies_of(response)
            path = response.json()["links"][0]["href"]
            assert "wait=60" in path
        return heard

    assert service.run(tail()) == [2, 3, 4]


def test_ones_own_messages_do_not_end_a_wait_that_hides_them(service: Service) -> None:
    async def scenario() -> list[Any]:
        waiting = await begin(service, "GET", f"{MESSAGES}?wait=60")
        await post(service, "own")
        await settle()
        assert not waiting.done()
        await post(service, "foreign", client=OTHER_CLIENT)
        return bodies_of(await answer(waiting))

    assert service.run(scenario()) == ["foreign"]


@pytest.mark.parametrize(
    "elsewhere",
    [{"path": "/v2/queues/r/messages"}, {"path": "/v2/topics/q/messages"}, {"project": "other"}],
)
def test_what_is_posted_elsewhere_ends_no_wait(service: Service, elsewhere: dict[str, str]) -> None:
    async def scenario() -> list[Any]:
        waiting = await begin(service, "POST", "/v2/queues/q/claims?wait=60")
        await post(service, "elsewhere", **elsewhere)
        await settle()
        assert not waiting.done()
        await post(service, "here")
        return bodies_of(await answer(waiting))

    assert service.run(scenario()) == ["here"]


def test_a_claim_that_waits_is_answered_when_another_claim_ends(service: Service) -> None:
    service.post_bodies("x")
    service.claim(ttl=60)
    service.pass_s(59.999)

    async def scenario() -> httpx.Response:
        waiting = await begin(service, "POST", "/v2/queues/q/claims?wait=60")
        # A millisecond is left of the other claim.
        service.clock.advance(1)
        return await answer(waiting)

    assert bodies_of(service.run(scenario())) == ["x"]


def test_a_wait_outlives_the_deletion_of_the_queue(service: Service) -> None:
    service.put("/v2/queues/q", json={"a": 1})

    async def scenario() -> list[Any]:
        waiting = await begin(service, "POST", "/v2/queues/q/claims?wait=60")
        await service.request("DELETE", "/v2/queues/q")
        await post(service, "new")
        return bodies_of(await answer(waiting))

    assert service.run(scenario()) == ["new"]


def test_topics_are_followed_too(service: Service) -> None:
    async def scenario() -> list[Any]:
        waiting = await begin(service, "GET", "/v2/topics/t/messages?echo=true&wait=60")
        await post(service, "x", path="/v2/topics/t/messages")
        return bodies_of(await answer(waiting))

    assert service.run(scenario()) == ["x"]


def test_a_wait_makes_no_queue(service: Service) -> None:
    async def scenario() -> list[Any]:
        waiting = await begin(service, "GET", f"{MESSAGES}?wait=60")
        document = (await service.request("GET", "/v2/queues")).json()
        waiting.cancel()
        queues: list[Any] = document["queues"]
        return queues

    assert service.run(scenario()) == []

"""Listening by the client, through cuts and restarts of the service."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

import pytest

from sukkal.client import Client, MessagesMissed, Retries
from sukkal.client.refusals import InvalidRequest
from tests.client.proxy import Proxy
from tests.client.service_here import ServiceHere
from tests.serving import ServerProcess

T = TypeVar("T")
QUICK: Final = Retries(first_s=0.001, longest_s=0.01)


def run(url: str, test: Callable[[Client], Awaitable[T]]) -> T:
    async def running() -> T:
        async with Client(url, project="p", retries=QUICK) as client:
            return await test(client)

    return asyncio.run(running())


def test_a_listener_survives_that_the_service_is_killed(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}"
    with ServerProcess(store) as first:

        async def test(client: Client) -> list[str]:
            queue, heard = client.queue("q"), []
            async with queue.listen() as listening:
                await queue.post("a")
                async for each in listening:
                    heard.append(each.body)
                    if each.body == "a":
                        first.kill()
                        with ServerProcess(store, "--listen", f"127.0.0.1:{first.port}") as second:
                            await queue.post("b")
                            heard.append((await anext(aiter(listening))).body)
                            second.kill()
                        break
            return heard

        assert run(first.url, test) == ["a", "b"]


def test_a_queue_that_stores_nothing_tells_of_every_cut(service: ServiceHere) -> None:
    async def test() -> None:
        async with (
            Proxy(service.url) as proxy,
            Client(proxy.url, project="p", retries=QUICK) as client,
            Client(service.url, project="p") as direct,
        ):
            queue = direct.queue("fleeting")
            await queue.create({"_persistence": "none"})
            async with client.queue("fleeting").listen() as listening:
                assert (await queue.post_many(["a"])).listeners == 1
                assert (await anext(aiter(listening))).body == "a"
                proxy.cut_now()
                with pytest.raises(MessagesMissed):
                    async for _ in listening:
                        pass
                await queue.post("b")
                async for each in listening:
                    assert each.body == "b"
                    break

    asyncio.run(test())


def test_filters_and_formats_are_those_of_subscriptions(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("events")
        events = [{"specversion": "1.0", "id": str(n), "source": "/s", "type": f"t{n % 2}"} for n in range(4)]
        async with queue.listen(filters=[{"exact": {"type": "t1"}}], form="cloudevents") as listening:
            await queue.post_events(events)
            heard = aiter(listening)
            assert [(await anext(heard)).body["id"], (await anext(heard)).body["id"]] == ["1", "3"]
        with pytest.raises(InvalidRequest) as refused:
            async with queue.listen(filters=[{"exact": 1}]):
                pass
        assert refused.value.code == "invalid_filter"

    run(service.url, test)


def test_a_listener_that_is_sent_away_comes_back(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("q")
        # More than the service keeps for one that does not read: it is sent away while it does something else.
        large = "x" * 100_000
        async with queue.listen() as listening:
            for number in range(60):
                await queue.post([number, large])
            heard = aiter(listening)
            assert [(await anext(heard)).body[0] for _ in range(60)] == list(range(60))

    run(service.url, test)


def test_what_is_heard_is_json_of_any_kind(service: ServiceHere) -> None:
    bodies = [None, True, 1.5, "é", [1], {"a": {"b": None}}]

    async def test(client: Client) -> None:
        queue = client.queue("q")
        async with queue.listen() as listening:
            await queue.post_many(bodies)
            heard = aiter(listening)
            assert [(await anext(heard)).body for _ in bodies] == json.loads(json.dumps(bodies))

    run(service.url, test)

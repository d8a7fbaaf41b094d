"""What is done through one node reaches those who wait and listen at another."""

import asyncio
from typing import Any

from tests.nodes.asking import Listener, ask, post
from tests.serving import ServerProcess

Pair = tuple[ServerProcess, ServerProcess]


def run(scenario: Any) -> None:
    asyncio.run(asyncio.wait_for(scenario, 120))


def test_who_waits_at_one_node_gets_what_is_posted_through_another(pair: Pair) -> None:
    async def scenario() -> None:
        here, there = pair
        waiting = asyncio.ensure_future(ask(here, "POST", "/v2/queues/q/claims?wait=20", {"ttl": 300, "grace": 60}))
        listing = asyncio.ensure_future(ask(here, "GET", "/v2/queues/q/messages?wait=20&echo=true"))
        await ask(here, "GET", "/v2/queues/q/stats")
        await post(there, "q", "word")
        assert [each["body"] for each in (await waiting).document["messages"]] == ["word"]
        assert (await listing).status == 200

    run(scenario())


def test_a_listener_hears_what_goes_through_all_nodes_in_one_order_and_once(pair: Pair) -> None:
    async def scenario() -> None:
        here, there = pair
        listeners = [Listener(node, "q") for node in (here, there, here)]
        for each in listeners:
            await each.began()

        async def write(node: ServerProcess, name: str) -> None:
            for number in range(40):
                await post(node, "q", f"{name}{number}")

        await asyncio.gather(write(here, "a"), write(there, "b"), write(here, "c"), write(there, "d"))
        heard = [await each.until(160) for each in listeners]
        assert heard[0] == heard[1] == heard[2]
        assert len(set(heard[0])) == 160
        for name in "abcd":
            assert [each for each in heard[0] if each[0] == name] == [f"{name}{number}" for number in range(40)]
        for each in listeners:
            await each.leave()

    run(scenario())


def test_a_listener_that_comes_back_to_another_node_goes_on_where_it_was(pair: Pair) -> None:
    async def scenario() -> None:
        here, there = pair
        first = Listener(here, "q")
        await first.began()
        await post(there, "q", 1, 2)
        assert await first.until(2) == [1, 2]
        await first.leave()
        await post(here, "q", 3)
        again = Listener(there, "q", first.place)
        await again.began()
        await post(there, "q", 4)
        assert await again.until(2) == [3, 4]
        assert again.recovered is True
        await again.leave()

    run(scenario())


def test_with_a_history_nothing_is_missed_that_is_taken_at_once(pair: Pair) -> None:
    async def scenario() -> None:
        here, there = pair
        assert (await ask(there, "PUT", "/v2/queues/q", {"_history": 300})).status == 201
        listener = Listener(here, "q")
        await listener.began()
        for number in range(20):
            await post(there, "q", number)
            assert (await ask(there, "DELETE", "/v2/queues/q/messages?pop=1")).status == 200
        assert await listener.until(20) == list(range(20))
        await listener.leave()

    run(scenario())


def test_a_queue_that_stores_nothing_is_heard_at_all_nodes(pair: Pair) -> None:
    async def scenario() -> None:
        here, there = pair
        assert (await ask(here, "PUT", "/v2/queues/q", {"_persistence": "none"})).status == 201
        listeners = [Listener(node, "q") for node in pair]
        for each in listeners:
            await each.began()
        large = "x" * 100_000
        await post(there, "q", "a", large)
        await post(here, "q", "b")
        for each in listeners:
            assert sorted(await each.until(3)) == ["a", "b", large]
            await each.leave()

    run(scenario())


def test_a_reply_through_another_node_reaches_the_caller(pair: Pair) -> None:
    async def scenario() -> None:
        here, there = pair
        call = asyncio.ensure_future(ask(here, "POST", "/v2/queues/rpc/call?timeout=20", {"body": 2}))
        claimed = await ask(there, "POST", "/v2/queues/rpc/claims?wait=20&limit=1", {"ttl": 300, "grace": 60})
        (request,) = claimed.document["messages"]
        reply = {"body": request["body"] + 1, "ttl": 60, "correlation_id": request["correlation_id"]}
        path = f"/v2/queues/{request['reply_to']}/messages"
        assert (await ask(there, "POST", path, {"messages": [reply]})).status == 201
        answer = await call
        assert (answer.status, answer.document["body"]) == (200, 3)

    run(scenario())

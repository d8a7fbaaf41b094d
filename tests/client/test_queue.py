"""A queue by the client, against a running service."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from sukkal.client import Client, HeldMessage, MessagesMissed, Queue, Refused
from sukkal.client.refusals import (
    CallTimedOut,
    IdempotencyConflict,
    InvalidRequest,
    MessageNotFound,
    NotFound,
)
from tests.client.service_here import ServiceHere

T = TypeVar("T")
HOOK = "http://hooks.example.org/hook"


def run(service: ServiceHere, test: Callable[[Client], Awaitable[T]]) -> T:
    async def running() -> T:
        async with Client(service.url, project="p") as client:
            return await test(client)

    return asyncio.run(running())


def test_a_queue_is_made_changed_and_deleted(shared_service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("made")
        assert await queue.create({"a/b": 1, "gone": 2})
        assert not await queue.create({"a/b": 1, "gone": 2})
        changed = await queue.update({"a/b": 3, "gone": None, "never": None, "new": "x"})
        assert {name: changed.get(name) for name in ("a/b", "gone", "new")} == {"a/b": 3, "gone": None, "new": "x"}
        assert (await queue.metadata())["a/b"] == 3
        assert [each.name async for each in client.queues(name="made")] == ["made"]
        [found] = [each async for each in client.queues(name="made", detailed=True)]
        assert found.metadata is not None
        assert found.metadata["new"] == "x"
        await queue.delete()
        assert [each async for each in client.queues(name="made")] == []

    run(shared_service, test)


def test_a_post_may_be_as_large_as_the_service_takes(shared_service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        # The answer names all of them in one header, too.
        assert len((await client.queue("many").post_many(range(1_000))).ids) == 1_000

    run(shared_service, test)


def test_messages_are_posted_listed_got_popped_and_deleted(shared_service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("kept")
        first = await queue.post({"é": 1}, ttl=300)
        posted = await queue.post_many(range(25), ttl=400)
        assert len(posted.ids) == 25
        assert not posted.repeated
        listed = [each async for each in queue.messages(limit=10)]
        assert [each.body for each in listed] == [{"é": 1}, *range(25)]
        assert (await queue.get(first)).ttl == 300
        assert (await queue.stats()).free == 26
        assert [each.body for each in await queue.pop(2)] == [{"é": 1}, 0]
        await queue.delete_messages(*posted.ids)
        assert (await queue.stats()).total == 0
        await queue.post("delayed", delay=100)
        assert [each.body async for each in queue.messages()] == []
        assert [each.body async for each in queue.messages(include_delayed=True)] == ["delayed"]
        await queue.purge()
        assert (await queue.stats()).total == 0

    run(shared_service, test)


def test_a_post_with_a_key_is_made_once(shared_service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("keyed")
        assert await queue.post(1, key="k") == await queue.post(1, key="k")
        assert (await queue.post_many([1], key="k")).repeated
        assert await queue.post(1) != await queue.post(1)
        with pytest.raises(IdempotencyConflict) as conflict:
            await queue.post(2, key="k")
        assert conflict.value.code == "idempotency_conflict"

    run(shared_service, test)


def test_a_refusal_has_the_class_of_the_services_error(shared_service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("refusing")
        await queue.create()
        with pytest.raises(MessageNotFound) as not_found:
            await queue.get("01a1fd0d-2866-7000-871e-13779d1a50dc")
        error = not_found.value
        assert (error.status, error.code, error.title) == (404, "message_not_found", "Not found")
        assert error.request_id.startswith("req-")
        assert isinstance(error, NotFound)
        with pytest.raises(InvalidRequest):
            await queue.post("x", ttl=1)
        assert (await client.queue("nobodys").stats()).total == 0
        with pytest.raises(Refused):
            await client.request("GET", "/v2/nowhere")

    run(shared_service, test)


def test_subscriptions_are_made_listed_changed_and_ended(shared_service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        orders = client.queue("subscribed").subscriptions
        made = await orders.create(HOOK, ttl=600, options={"types": ["a"]})
        assert await orders.create(HOOK, ttl=600, options={"types": ["a"]}) == made
        await orders.update(made, ttl=700)
        assert [(each.id, each.ttl) async for each in orders.all()] == [(made, 700)]
        assert (await orders.get(made)).subscriber == HOOK
        assert (await orders.deliveries(made))["deliveries"] == []
        assert await orders.redrive(made) == 0
        await orders.delete(made)
        assert [each async for each in orders.all()] == []

    run(shared_service, test)


def test_a_signed_url_is_made_listed_and_revoked(shared_service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("shared")
        signed = await queue.share(methods=["GET", "POST"])
        assert signed.signature
        assert signed.post_url
        assert [each.id async for each in queue.shared()] == [signed.id]
        await queue.unshare(signed.id)
        assert [each async for each in queue.shared()] == []

    run(shared_service, test)


def test_events_are_posted_once_and_found(shared_service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("events")
        await queue.create({"_search": True})
        event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "order.paid", "data": {"n": 1}}
        first = await queue.post_events([event])
        assert (await queue.post_events([event])).ids == first.ids
        assert (await queue.ingest({"b": 1, "a": 2})).ids == (await queue.ingest({"a": 2, "b": 1})).ids
        saved = await client.find.save("paid", queue="found", type="order.paid")
        assert [each async for each in client.find.saved()] == [saved]
        await client.find.forget("paid")
        assert (await client.usage()).usage["queues"] >= 1

    run(shared_service, test)


def test_a_call_is_replied_to_by_who_serves(shared_service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("adder")

        async def add(message: HeldMessage) -> object:
            return sum(message.body["add"])

        serving = asyncio.create_task(queue.serve(add))
        assert await queue.call({"add": [1, 2]}) == 3
        assert await asyncio.gather(*(queue.call({"add": [n, n]}) for n in range(5))) == [0, 2, 4, 6, 8]
        serving.cancel()
        await asyncio.wait((serving,))
        assert (await queue.stats()).total == 0
        with pytest.raises(CallTimedOut):
            await queue.call({"add": []}, timeout=1)

    run(shared_service, test)


def test_what_is_posted_is_heard_and_again_since_a_position(shared_service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("heard")
        heard = []
        async with queue.listen() as listening:
            await queue.post_many(["a", "b", "c"])
            async for each in listening:
                heard.append(each)
                if len(heard) == 3:
                    break
        assert [each.body for each in heard] == ["a", "b", "c"]
        async for each in queue.listen(since=heard[0].position):
            assert each.body == "b"
            break

    run(shared_service, test)


def test_what_was_missed_is_an_exception_or_told(shared_service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("missed")
        position = await position_before(queue)
        await queue.post("taken")
        await queue.pop()
        await queue.post("there")
        listening = queue.listen(since=position)
        with pytest.raises(MessagesMissed) as missed:
            async for _ in listening:
                pass
        assert missed.value.since == position
        async for each in listening:
            assert each.body == "there"
            break
        gaps: list[MessagesMissed] = []
        async for each in queue.listen(since=position, on_gap=gaps.append):
            assert each.body == "there"
            break
        assert len(gaps) == 1

    run(shared_service, test)


async def position_before(queue: Queue) -> str:
    async with queue.listen() as listening:
        assert listening.position is not None
        return listening.position

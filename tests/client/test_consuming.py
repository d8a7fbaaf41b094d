"""Consuming by the client: what is done is gone, what is not comes back, and nothing stays claimed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from sukkal.client import Client, ClientError, HeldMessage, LeaseLost, Queue
from tests.client.service_here import ServiceHere

T = TypeVar("T")


def run(service: ServiceHere, test: Callable[[Client], Awaitable[T]]) -> T:
    async def running() -> T:
        async with Client(service.url, project="p") as client:
            return await test(client)

    return asyncio.run(running())


async def counts(queue: Queue) -> tuple[int, int]:
    stats = await queue.stats()
    return stats.free, stats.claimed


@pytest.mark.parametrize("prefetch", [1, 2, 7, 50])
def test_each_message_comes_once_and_in_order_and_is_gone(service: ServiceHere, prefetch: int) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("q")
        for begin in (0, 15):
            await queue.post_many(range(begin, begin + 15))
        seen = [message.body async for message in queue.consume(prefetch=prefetch, wait=0, until_empty=True)]
        assert seen == list(range(30))
        assert await counts(queue) == (0, 0)

    run(service, test)


@pytest.mark.parametrize("prefetch", [1, 3, 10])
def test_a_consumer_never_holds_more_than_its_prefetch(service: ServiceHere, prefetch: int) -> None:
    async def test(client: Client) -> None:
        queue, most = client.queue("q"), 0
        await queue.post_many(range(20))
        async for message in queue.consume(prefetch=prefetch, wait=0, until_empty=True):
            if message.body % 3:
                await message.ack()
            most = max(most, (await queue.stats()).claimed)
        assert 0 < most <= prefetch
        assert await counts(queue) == (0, 0)

    run(service, test)


def test_what_comes_later_is_waited_for(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue, seen = client.queue("q"), asyncio.Queue[int]()

        async def consume() -> None:
            async for message in queue.consume():
                seen.put_nowait(message.body)

        consuming = asyncio.create_task(consume())
        for number in range(3):
            await queue.post(number)
            assert await asyncio.wait_for(seen.get(), 10) == number
        consuming.cancel()
        await asyncio.wait((consuming,))

    run(service, test)


def test_a_loop_that_raises_gives_back_what_it_held(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("q")
        await queue.post_many(range(5))

        async def consume() -> None:
            async with queue.consume(prefetch=3) as consumer:
                async for message in consumer:
                    1 / (1 - message.body)

        with pytest.raises(ZeroDivisionError):
            await consume()
        assert await counts(queue) == (4, 0)

    run(service, test)


def test_a_loop_that_breaks_gives_back_what_it_held_without_a_context(service: ServiceHere) -> None:
    async def test(client: Client) -> Queue:
        queue = client.queue("q")
        await queue.post_many(range(5))
        async for message in queue.consume(prefetch=3):
            if message.body == 2:
                break
        return queue

    run(service, test)

    async def after(client: Client) -> None:
        assert await counts(client.queue("q")) == (3, 0)

    run(service, after)


def test_a_loop_that_breaks_gives_back_what_it_held_while_its_client_lives(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("q")
        await queue.post_many(range(5))
        async for _ in queue.consume(prefetch=3):
            break
        while await counts(queue) != (5, 0):
            pass

    run(service, lambda client: asyncio.wait_for(test(client), 30))


def test_a_cancelled_consumer_gives_back_what_it_held(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue, begun = client.queue("q"), asyncio.Event()
        await queue.post_many(range(5))

        async def consume() -> None:
            async for _ in queue.consume(prefetch=3):
                begun.set()
                await asyncio.Event().wait()

        consuming = asyncio.create_task(consume())
        await begun.wait()
        assert (await queue.stats()).claimed == 3
        consuming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await consuming
        await client.aclose()

    run(service, test)

    async def after(client: Client) -> None:
        assert await counts(client.queue("q")) == (5, 0)

    run(service, after)


def test_a_consumer_that_ends_while_it_waits_leaves_nothing_claimed(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("q")
        for _ in range(20):
            consumer = queue.consume(prefetch=5)
            taking = asyncio.create_task(consumer.take())
            while not taking.done():
                await queue.post("x")
                await asyncio.sleep(0)
                await consumer.aclose()
            held = await taking
            assert held is None or held.lost
            assert (await queue.stats()).claimed == 0

    run(service, test)


def test_a_message_can_be_settled_by_hand(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("q")
        await queue.post_many(["ack", "release", "later"])
        async for message in queue.consume(prefetch=3, wait=0, until_empty=True):
            assert not message.lost
            if message.body == "ack":
                await message.ack()
            elif message.body == "later":
                await message.release(delay=100)
            elif message.claim_count == 1:
                await message.extend(120)
                await message.release()
            assert not message.lost
            if message.settled:
                with pytest.raises(ClientError, match="settled"):
                    await message.ack()
        assert await counts(queue) == (1, 0)
        service.clock.advance(101_000)
        async with queue.one() as last:
            assert last is not None
            assert last.body == "later"

    run(service, test)


def test_one_is_acknowledged_or_given_back_or_none(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("q")
        async with queue.one(wait=0) as nothing:
            assert nothing is None
        await queue.post(1)
        with pytest.raises(ZeroDivisionError):
            async with queue.one():
                1 / 0  # noqa: B018 - an error of the block
        assert await counts(queue) == (1, 0)
        async with queue.one() as message:
            assert message is not None
            assert message.claim_count == 2
        assert await counts(queue) == (0, 0)

    run(service, test)


def test_a_lease_that_has_ended_is_told_and_cannot_acknowledge(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("q")
        await queue.post(1)
        with pytest.raises(LeaseLost):
            async with queue.one() as message:
                service.clock.advance(61_000)
        assert message is not None
        assert message.lost
        async for message in queue.consume(wait=0, until_empty=True):
            if message.claim_count < 3:
                service.clock.advance(61_000)
                with pytest.raises(LeaseLost):
                    await message.extend()
                assert message.lost
                await asyncio.wait_for(message.until_lost(), 1)
        assert await counts(queue) == (0, 0)

    run(service, test)


def test_work_done_after_its_lease_is_said_and_done_again(
    service: ServiceHere, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(client: Client) -> None:
        queue, attempts = client.queue("q"), []
        await queue.post(1)
        async for message in queue.consume(wait=0, until_empty=True):
            attempts.append(message.claim_count)
            if len(attempts) == 1:
                service.clock.advance(61_000)
        assert attempts == [1, 2]
        assert await counts(queue) == (0, 0)

    run(service, test)
    assert "may be done again" in caplog.text


def test_so_many_are_worked_on_at_once_and_what_fails_comes_back_later(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue = client.queue("q")
        await queue.post_many(range(12))
        at_work, most, done = 0, 0, list[int]()
        together = asyncio.Barrier(4)

        async def handler(message: HeldMessage) -> None:
            nonlocal at_work, most
            at_work += 1
            most = max(most, at_work)
            if message.claim_count == 1:
                await asyncio.wait_for(together.wait(), 30)
            at_work -= 1
            if message.body == 5 and message.claim_count == 1:
                raise ValueError("not yet")
            done.append(message.body)

        await queue.work(handler, at_once=4, wait=0, until_empty=True)
        assert most == 4
        assert sorted(done) == [*range(5), *range(6, 12)]
        assert await counts(queue) == (1, 0)
        service.clock.advance(2_000)
        await queue.work(handler, at_once=4, wait=0, until_empty=True)
        assert done[-1] == 5
        assert await counts(queue) == (0, 0)

    run(service, test)


def test_places_that_become_free_together_are_filled_by_one_claim(
    service: ServiceHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sukkal.client.claiming._GATHERING_S", 30)  # however slow the machine is

    async def test(client: Client) -> None:
        queue, claims = client.queue("q"), dict[str, int]()
        await queue.post_many(range(20))
        together = asyncio.Barrier(5)

        async def handler(message: HeldMessage) -> None:
            claims[message.lease.id] = claims.get(message.lease.id, 0) + 1
            await together.wait()

        await queue.work(handler, at_once=5, wait=0, until_empty=True)
        assert list(claims.values()) == [5, 5, 5, 5]

    run(service, test)


def test_an_acknowledgement_that_hangs_keeps_no_other_place_from_work(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue, done = client.queue("q"), asyncio.Semaphore(0)
        await queue.post_many(range(6))

        async def handler(message: HeldMessage) -> None:
            if message.body == 0:
                message.settling = True
                for _ in range(5):
                    await done.acquire()
                message.settling = False
            done.release()

        await asyncio.wait_for(queue.work(handler, at_once=2, wait=0, until_empty=True), 30)
        assert await counts(queue) == (0, 0)

    run(service, test)


def test_two_consumers_share_the_work(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        queue, done = client.queue("q"), list[int]()
        await queue.post_many(range(40))

        async def consume() -> None:
            async for message in queue.consume(prefetch=4, wait=0, until_empty=True):
                done.append(message.body)

        await asyncio.gather(consume(), consume())
        assert sorted(done) == list(range(40))

    run(service, test)


def test_what_will_not_pass_ends_the_loop(service: ServiceHere) -> None:
    async def test(client: Client) -> None:
        with pytest.raises(ClientError, match="TTL"):
            async for _ in client.queue("q").consume(lease=1):
                pass

    run(service, test)

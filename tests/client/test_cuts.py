"""The client behind a connection that is cut at any moment: nothing is lost, doubled, or claimed for ever."""

import asyncio
from collections.abc import Iterator
from typing import Final, get_args

import pytest

from sukkal.client import Client, Queue, Retries
from tests.client.proxy import Direction, Proxy
from tests.client.service_here import ServiceHere

BODIES: Final = ["a", "b", "c"]
# Shorter than any request and any answer, so that each is cut in its head, in its body, and right behind it.
STRIDE_BYTES: Final = 13
AT_ONCE: Final = 8
QUICK: Final = Retries(first_s=0.001, longest_s=0.01)


@pytest.fixture(scope="module")
def service() -> Iterator[ServiceHere]:
    with ServiceHere() as service:
        yield service


class Log:
    """What happened to one queue: the ids of what was worked on, in the order of the work, and with which body."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.acknowledged: set[str] = set()

    def faults(self) -> Iterator[str]:
        """Yield what must not have happened."""
        bodies: dict[str, set[str]] = {}
        for id_, body in self.done:
            bodies.setdefault(body, set()).add(id_)
        yield from (f"{body} is lost" for body in BODIES if body not in bodies)
        yield from (f"{body} was posted {len(ids)} times" for body, ids in bodies.items() if len(ids) > 1)
        yield from (f"{id_} was acknowledged and not done" for id_ in self.acknowledged - {id_ for id_, _ in self.done})


async def converse(url: str, name: str, log: Log) -> None:
    """Post and consume, and stop in the middle of the last one as if the program had ended there."""
    async with Client(url, project="p", retries=QUICK, timeout=5) as client:
        queue = client.queue(name)
        for body in BODIES:
            await queue.post(body)
        async for message in queue.consume(prefetch=2, wait=0, until_empty=True):
            if message.body == "b" and message.claim_count == 1:
                await message.release()
                continue
            log.done.append((message.id, message.body))
            await message.ack()
            log.acknowledged.add(message.id)


async def rest(queue: Queue, log: Log) -> None:
    """Do what is left, over a connection that nobody cuts."""
    async for message in queue.consume(prefetch=5, wait=0, until_empty=True):
        log.done.append((message.id, message.body))


async def lengths(service: ServiceHere) -> dict[Direction, int]:
    async with Proxy(service.url) as proxy:
        log = Log()
        await converse(proxy.url, "uncut", log)
        assert [body for _, body in log.done] == ["a", "c", "b"] or sorted(body for _, body in log.done) == BODIES
        return dict(proxy.passed)


@pytest.mark.parametrize("way", get_args(Direction))
def test_nothing_is_lost_or_doubled_wherever_the_connection_is_cut(service: ServiceHere, way: Direction) -> None:
    async def test() -> None:
        logs: dict[str, Log] = {}
        slots = asyncio.Semaphore(AT_ONCE)

        async def cut_at(bytes_: int) -> None:
            name = f"{way.replace(' ', '-')}-{bytes_}"
            log = logs[name] = Log()
            async with slots, Proxy(service.url, cut=(way, bytes_)) as proxy:
                await asyncio.wait_for(converse(proxy.url, name, log), 60)
                assert proxy.cut_done.is_set(), name

        length = (await lengths(service))[way]
        assert length > 1_000
        await asyncio.gather(*(cut_at(bytes_) for bytes_ in range(0, length, STRIDE_BYTES)))
        service.clock.advance(61_000)
        async with Client(service.url, project="p") as client:
            for name, log in logs.items():
                await rest(client.queue(name), log)
                assert list(log.faults()) == [], name
                assert (await client.queue(name).stats()).total == 0, name

    asyncio.run(test())


def test_a_listener_hears_everything_once_and_in_order_wherever_it_is_cut(service: ServiceHere) -> None:
    posted = [f"message {number}" for number in range(12)]

    async def hear(url: str, name: str, posting: Queue) -> list[str]:
        heard: list[str] = []
        async with Client(url, project="p", retries=QUICK) as client, client.queue(name).listen() as listening:
            await posting.post_many(posted[:6])
            async for each in listening:
                heard.append(each.body)
                if len(heard) == 3:
                    await posting.post_many(posted[6:])
                if len(heard) == len(posted):
                    break
        return heard

    async def test() -> None:
        async with Client(service.url, project="p") as direct:
            async with Proxy(service.url) as proxy:
                assert await hear(proxy.url, "heard-uncut", direct.queue("heard-uncut")) == posted
                length = proxy.passed["to the client"]
            # What comes behind the last message may be still under way when the listener goes.
            for bytes_ in range(0, length - 100, STRIDE_BYTES):
                name = f"heard-{bytes_}"
                async with Proxy(service.url, cut=("to the client", bytes_)) as proxy:
                    assert await asyncio.wait_for(hear(proxy.url, name, direct.queue(name)), 60) == posted, bytes_
                    assert proxy.cut_done.is_set()

    asyncio.run(test())


def test_a_checker_that_is_given_faults_finds_them() -> None:
    log = Log()
    log.done = [("1", "a"), ("2", "a"), ("3", "b")]
    log.acknowledged = {"4"}
    assert list(log.faults()) == ["c is lost", "a was posted 2 times", "4 was acknowledged and not done"]

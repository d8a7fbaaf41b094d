"""Who waits is woken, one for each message, and nobody's wake-up is lost."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sukkal.engines.memory import MemoryEngine
from sukkal.model import NewMessage, Post, QueueKey
from sukkal.service.waiting import Waiting
from sukkal.testing import FakeClock

KEY = QueueKey("p", "q")


class Shelf:
    """Something to take from: each look is noted, and takes one item if there is one."""

    def __init__(self) -> None:
        self.items = 0
        self.looks = 0
        self.looked = asyncio.Event()

    async def take(self) -> str | None:
        self.looks += 1
        self.looked.set()
        if not self.items:
            return None
        self.items -= 1
        return "item"

    async def until_looks(self, count: int) -> None:
        while self.looks < count:
            self.looked.clear()
            await self.looked.wait()
        # Whoever looked goes on to wait: that takes no time, only turns of the loop.
        for _ in range(10):
            await asyncio.sleep(0)


def run(scenario: Callable[[Waiting, Shelf, FakeClock], Awaitable[None]]) -> None:
    async def main() -> None:
        clock = FakeClock()
        await scenario(Waiting(MemoryEngine(), clock), Shelf(), clock)

    asyncio.run(main())


def test_who_does_not_wait_looks_once() -> None:
    async def scenario(waiting: Waiting, shelf: Shelf, clock: FakeClock) -> None:
        assert await waiting.until(KEY, shelf.take, wait_s=0, takes=True) is None
        assert shelf.looks == 1

    run(scenario)


def test_what_comes_while_looking_is_found() -> None:
    async def scenario(waiting: Waiting, shelf: Shelf, clock: FakeClock) -> None:
        async def look() -> str | None:
            found = await shelf.take()
            if shelf.looks == 1:
                shelf.items = 1  # posted just after the look, before anybody is registered
                waiting.wake(KEY, 1)
            return found

        assert await waiting.until(KEY, look, wait_s=60, takes=True) == "item"

    run(scenario)


def test_as_many_are_woken_as_there_are_messages_the_longest_waiting_first() -> None:
    async def scenario(waiting: Waiting, shelf: Shelf, clock: FakeClock) -> None:
        waiters = [asyncio.ensure_future(waiting.until(KEY, shelf.take, wait_s=60, takes=True)) for _ in range(3)]
        await shelf.until_looks(6)
        shelf.items = 2
        waiting.wake(KEY, 2)
        assert await asyncio.gather(*waiters[:2]) == ["item", "item"]
        assert not waiters[2].done()
        waiting.close()
        assert await waiters[2] is None

    run(scenario)


def test_the_wake_up_of_one_who_goes_away_is_passed_on() -> None:
    async def scenario(waiting: Waiting, shelf: Shelf, clock: FakeClock) -> None:
        waiters = [asyncio.ensure_future(waiting.until(KEY, shelf.take, wait_s=60, takes=True)) for _ in range(2)]
        await shelf.until_looks(4)
        shelf.items = 1
        waiting.wake(KEY, 1)
        waiters[0].cancel()
        assert await waiters[1] == "item"
        with pytest.raises(asyncio.CancelledError):
            await waiters[0]

    run(scenario)


def test_all_watchers_are_woken() -> None:
    async def scenario(waiting: Waiting, shelf: Shelf, clock: FakeClock) -> None:
        async def look() -> bool:
            await shelf.take()
            return seen

        seen = False
        watchers = [asyncio.ensure_future(waiting.until(KEY, look, wait_s=60, takes=False)) for _ in range(3)]
        await shelf.until_looks(6)
        seen = True
        waiting.wake(KEY, 1)
        assert await asyncio.gather(*watchers) == [True] * 3

    run(scenario)


def test_closing_sends_everybody_away_and_lets_nobody_wait_any_more() -> None:
    async def scenario(waiting: Waiting, shelf: Shelf, clock: FakeClock) -> None:
        waiter = asyncio.ensure_future(waiting.until(KEY, shelf.take, wait_s=60, takes=True))
        await shelf.until_looks(2)
        waiting.close()
        assert await waiter is None
        assert await waiting.until(KEY, shelf.take, wait_s=60, takes=True) is None

    run(scenario)


def test_the_end_of_a_delay_wakes_who_waits() -> None:
    async def main() -> None:
        clock, engine = FakeClock(), MemoryEngine()
        waiting, shelf = Waiting(engine, clock), Shelf()
        message = NewMessage(id="1", body=b"1", ttl_s=60, delay_s=1)
        await engine.publish((Post(KEY, (message,)),), now_ms=clock())
        clock.advance(999)
        waiter = asyncio.ensure_future(waiting.until(KEY, shelf.take, wait_s=60, takes=True))
        await shelf.until_looks(2)
        shelf.items = 1
        clock.advance(1)
        assert await waiter == "item"  # nobody calls wake: the alarm does, after the millisecond that was left

    asyncio.run(main())

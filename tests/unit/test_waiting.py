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
        await shelf.until_looks(2)  # only the first one looks, before and after it has joined
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
        await shelf.until_looks(2)
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


class Log:
    """Consumers that wait at one queue, one item each; who got what is written down in the order of getting."""

    def __init__(self, waiting: Waiting, shelf: Shelf) -> None:
        self.waiting = waiting
        self.shelf = shelf
        self.lines: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.looks: list[str] = []

    async def come(self, *names: str) -> None:
        """Let consumers come, one after the other, and wait."""
        for name in names:
            self.tasks[name] = asyncio.ensure_future(self._consume(name))
            await turns()

    async def _consume(self, name: str) -> None:
        async def look() -> str | None:
            self.looks.append(name)
            await asyncio.sleep(0)  # a store takes a while to answer
            return await self.shelf.take()

        if await self.waiting.until(KEY, look, wait_s=60, takes=True):
            self.lines.append(name)

    def post(self, count: int = 1) -> None:
        """Put items there and say so."""
        self.shelf.items += count
        self.waiting.wake(KEY, count)


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def run_log(scenario: Callable[[Log], Awaitable[None]]) -> None:
    async def with_log(waiting: Waiting, shelf: Shelf, clock: FakeClock) -> None:
        log = Log(waiting, shelf)
        await scenario(log)
        waiting.close()
        await asyncio.gather(*log.tasks.values(), return_exceptions=True)

    run(with_log)


def test_messages_go_round_among_consumers_that_come_back() -> None:
    async def scenario(log: Log) -> None:
        await log.come("a", "b", "c")
        for name in ["a", "b", "c"] * 3:
            log.looks.clear()
            log.post()
            await turns()
            assert log.looks == [name]  # nobody else is woken
            await log.come(name)
        assert log.lines == ["a", "b", "c"] * 3

    run_log(scenario)


def test_who_comes_while_another_is_on_its_way_does_not_overtake() -> None:
    async def scenario(log: Log) -> None:
        await log.come("a", "b")
        log.post()
        await log.come("c")
        assert log.lines == ["a"]
        log.post(2)
        await turns()
        assert log.lines == ["a", "b", "c"]

    run_log(scenario)


def test_who_was_woken_in_vain_keeps_its_place() -> None:
    async def scenario(log: Log) -> None:
        await log.come("a", "b", "c", "d")
        log.waiting.wake(KEY, 3)  # somebody who does not wait was faster
        await turns()
        for _ in range(4):
            log.post()
            await turns()
        assert log.lines == ["a", "b", "c", "d"]

    run_log(scenario)


@pytest.mark.parametrize("turns_before", range(4))
def test_who_went_away_swallows_no_wake_up(turns_before: int) -> None:
    async def scenario(log: Log) -> None:
        await log.come("a", "b", "c")
        log.tasks["a"].cancel()
        for _ in range(turns_before):
            await asyncio.sleep(0)
        log.post()
        log.tasks["b"].cancel()
        await turns()
        assert log.lines == ["c"]

    run_log(scenario)


def test_a_wake_up_that_comes_with_the_end_of_the_time_is_not_lost() -> None:
    async def scenario(waiting: Waiting, shelf: Shelf, clock: FakeClock) -> None:
        log = Log(waiting, shelf)
        looks = 0

        async def last_look() -> str | None:
            nonlocal looks
            looks += 1
            if looks == 3:
                log.post()  # while the one whose time is over looks for the last time, and has missed it
            return None

        waiter = asyncio.ensure_future(waiting.until(KEY, last_look, wait_s=1, takes=True))
        await turns()
        await log.come("b")
        clock.advance(1_000)
        assert await waiter is None
        await turns()
        assert log.lines == ["b"]

    run(scenario)


def test_the_end_of_a_delay_wakes_no_more_than_find_something() -> None:
    async def main() -> None:
        clock, engine = FakeClock(), MemoryEngine()
        waiting, shelf = Waiting(engine, clock), Shelf()
        message = NewMessage(id="1", body=b"1", ttl_s=60, delay_s=1)
        await engine.publish((Post(KEY, (message,)),), now_ms=clock())
        log = Log(waiting, shelf)
        await log.come(*"abcdefgh")
        log.looks.clear()
        shelf.items = 3
        clock.advance(1_000)
        await log.tasks["c"]
        await turns()
        assert log.lines == ["a", "b", "c"]
        assert log.looks == ["a", "b", "c", "d"]
        waiting.close()
        await asyncio.gather(*log.tasks.values())

    asyncio.run(main())


def test_a_watcher_who_was_woken_in_vain_is_woken_again() -> None:
    async def scenario() -> None:
        waiting = Waiting(MemoryEngine(), FakeClock())
        posted: list[str] = []

        def looking_for(what: str) -> "asyncio.Task[bool]":
            async def look() -> bool:
                return what in posted

            return asyncio.ensure_future(waiting.until(KEY, look, wait_s=60, takes=False))

        one, two = looking_for("a"), looking_for("b")
        await turns()
        posted.append("a")
        waiting.wake(KEY, 1)
        assert await one
        await turns()
        assert waiting.at(KEY)
        posted.append("b")
        waiting.wake(KEY, 1)
        await turns()
        done = two.done()
        two.cancel()
        assert done

    asyncio.run(scenario())


def test_what_becomes_free_between_a_look_and_the_alarm_is_looked_for_at_once() -> None:
    async def main() -> None:
        clock, engine = FakeClock(), MemoryEngine()
        await engine.publish((Post(KEY, (NewMessage(id="m", body=b"1", ttl_s=60, delay_s=1),)),), now_ms=clock())
        waiting, looks = Waiting(engine, clock), 0

        async def look() -> bool:
            nonlocal looks
            looks += 1
            if looks == 2:
                clock.advance(1_000)  # just after what is looked at here
            return looks == 3

        async with asyncio.timeout(20):
            assert await waiting.until(KEY, look, wait_s=3_600, takes=True)

    asyncio.run(main())

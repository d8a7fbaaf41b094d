"""Who comes while others look has not looked, and is not forgotten."""

import asyncio

import pytest

from sukkal.engines.memory import MemoryEngine
from sukkal.errors import StoreUnavailable
from sukkal.service.waiting import Waiting
from sukkal.testing import FakeClock
from tests.unit.test_waiting import KEY, Log, Shelf, run, run_log, turns


class SlowShelf:
    """Something to take from: what a look finds is told when the door is opened, as by a store that commits."""

    def __init__(self) -> None:
        self.items = 0
        self.door = asyncio.Event()
        self.door.set()

    async def take(self) -> str | None:
        found = self.items > 0
        self.items -= found
        await self.door.wait()
        return "item" if found else None


def test_who_comes_while_those_who_were_called_look_gets_what_they_leave() -> None:
    async def scenario() -> None:
        waiting, shelf = Waiting(MemoryEngine(), FakeClock()), SlowShelf()
        first = asyncio.ensure_future(waiting.until(KEY, shelf.take, wait_s=60, takes=True))
        await turns()
        shelf.door.clear()
        shelf.items = 4
        waiting.wake(KEY, 4)
        await turns()  # The first one looks.
        second = asyncio.ensure_future(waiting.until(KEY, shelf.take, wait_s=60, takes=True))
        await turns()
        shelf.door.set()
        assert await first == "item"
        await turns()
        third = asyncio.ensure_future(waiting.until(KEY, shelf.take, wait_s=60, takes=True))
        await turns()
        done = [second.done(), third.done()]
        waiting.close()
        await asyncio.gather(second, third)
        assert done == [True, True]

    asyncio.run(scenario())


@pytest.mark.parametrize("ends", ["found", "cancelled", "failed"])
def test_who_joins_while_the_first_one_looks_is_not_forgotten(ends: str) -> None:
    async def scenario(waiting: Waiting, shelf: Shelf, clock: FakeClock) -> None:
        log, go, looks = Log(waiting, shelf), asyncio.Event(), 0

        async def slow() -> str | None:
            nonlocal looks
            looks += 1
            if looks == 2:
                shelf.items = 3  # posted before the first one had joined, so nobody was woken
                await go.wait()
                if ends == "failed":
                    raise StoreUnavailable("away")
            return await shelf.take()

        first = asyncio.ensure_future(waiting.until(KEY, slow, wait_s=60, takes=True))
        await turns()
        await log.come("b", "c")
        assert log.lines == []
        if ends == "cancelled":
            first.cancel()
        go.set()
        await asyncio.gather(first, return_exceptions=True)
        await turns()
        assert log.lines == ["b", "c"]
        waiting.close()

    run(scenario)


def test_who_joins_while_one_looks_for_the_last_time_is_not_forgotten() -> None:
    async def scenario(waiting: Waiting, shelf: Shelf, clock: FakeClock) -> None:
        log, last, go = Log(waiting, shelf), asyncio.Event(), asyncio.Event()

        async def slow() -> str | None:
            found = await shelf.take()
            if shelf.looks == 3:
                last.set()
                await go.wait()
            return found

        first = asyncio.ensure_future(waiting.until(KEY, slow, wait_s=1, takes=True))
        await turns()
        clock.advance(1_000)
        waiting.wake(KEY, 1)  # in vain
        await last.wait()
        log.post(2)
        await log.come("b", "c")
        go.set()
        assert await first is None
        await turns()
        assert log.lines == ["b", "c"]

    run(scenario)


def test_who_came_without_looking_is_thought_of_until_somebody_looks_in_vain() -> None:
    async def scenario(log: Log) -> None:
        await log.come("a")
        log.post()
        await log.come("b", "c")  # b while a is on its way
        assert log.looks[-2:] == ["a", "b"]
        log.looks.clear()
        log.post()
        await turns()
        assert log.looks == log.lines[1:] == ["b"]

    run_log(scenario)

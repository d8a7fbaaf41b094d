"""Histories of takers who come, go and take in any order: whoever waits while there is something gets it."""

import asyncio
import random

import pytest

from sukkal.model import QueueKey
from sukkal.service.waiting import Waiting

KEY = QueueKey("p", "q")


class Scenario:
    """A store whose answers take some turns, takers of several clients, and posts."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.free = self.now_ms = 0
        self.waiting = Waiting(self, lambda: self.now_ms)  # type: ignore[arg-type]

    async def next_due(self, key: QueueKey, *, now_ms: int) -> int | None:
        await self.turns(2)
        return None

    async def turns(self, most: int) -> None:
        for _ in range(self.random.randint(0, most)):
            await asyncio.sleep(0)

    async def take(self, limit: int, client: str) -> int:
        async def look() -> int:
            await self.turns(2)
            found = min(limit, self.free)
            self.free -= found
            try:
                await self.turns(2)
            except asyncio.CancelledError:
                self.free += found
                self.waiting.wake(KEY, found)
                raise
            return found

        return await self.waiting.until(KEY, look, wait_s=60, takes=True, client=client)

    async def run(self) -> tuple[int, int]:
        """Return how much is left, and how many wait, when all is quiet."""
        takers: list[asyncio.Task[int]] = []
        for _ in range(self.random.randint(5, 40)):
            what = self.random.random()
            if what < 0.45:
                takers.append(
                    asyncio.ensure_future(self.take(self.random.choice([1, 1, 2, 5]), "abc"[len(takers) % 3]))
                )
            elif what < 0.85:
                count = self.random.choice([1, 1, 1, 2, 4])
                self.free += count
                self.waiting.wake(KEY, count)
            elif what < 0.9:
                self.now_ms += 30_000
            elif takers:
                self.random.choice(takers).cancel()
            await self.turns(6)
        for _ in range(400):
            await asyncio.sleep(0)
        left = [taker for taker in takers if not taker.done()]
        for taker in left:
            taker.cancel()
        await asyncio.gather(*takers, return_exceptions=True)
        return self.free, len(left)


@pytest.mark.parametrize("hundred", range(5))
def test_nobody_waits_while_there_is_something(hundred: int) -> None:
    stuck = []
    for seed in range(100 * hundred, 100 * hundred + 100):
        left, waiting = asyncio.run(Scenario(seed).run())
        if left and waiting:
            stuck.append((seed, left, waiting))
    assert stuck == []

"""Every move that was begun has its turn, whatever is in the way of others."""

import asyncio

import pytest

from sukkal import limits
from sukkal.engines.memory import MemoryEngine
from sukkal.model import QueueKey
from sukkal.pools.begun import Moves, note_move

NOW_MS = 1_000_000


@pytest.mark.parametrize("count", [0, 1, limits.PAGE_MAX, 2 * limits.PAGE_MAX + 1])
def test_moves_that_cannot_end_keep_no_other_from_its_turn(count: int) -> None:
    keys = [QueueKey(f"p{number % 3}", f"q{number:03}") for number in range(count)]

    async def scenario() -> None:
        records = MemoryEngine()
        await records.start()
        for key in keys:
            await note_move(records, key, "p1", "p2", now_ms=NOW_MS)
        moves = Moves(records, lambda: NOW_MS)
        for _ in range(2):
            seen: list[QueueKey] = []
            while len(seen) < count:
                page = await moves.begun()
                assert page
                seen += page
            assert sorted(seen) == sorted(keys)
        await records.close()

    asyncio.run(scenario())

"""The sweeper: removes what has ended and moves what was claimed too often, a slice at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from sukkal import limits
from sukkal.errors import Unavailable
from sukkal.search import SearchIndex
from sukkal.service.dead_letters import Burials
from sukkal.service.idle import IdleQueues
from sukkal.store import Store

__all__ = ["Sweeper"]

_SLICES_MAX: Final = 1_000


class Sweeper:
    """Does the work that no request waits for. ``sweep`` is one round; when to make one is the caller's business.

    ``may_sweep`` tells whether it falls to this node: of several at one store one is enough, whichever. ``rounds``
    counts those that were made, ``removed`` what they removed.
    """

    def __init__(
        self,
        store: Store,
        burials: Burials,
        idle: IdleQueues,
        index: SearchIndex,
        now_ms: Callable[[], int],
        *,
        search_retention_s: int,
        may_sweep: Callable[[], Awaitable[bool]],
    ) -> None:
        self._may_sweep = may_sweep
        self._store = store
        self._burials = burials
        self._idle = idle
        self._index = index
        self._now_ms = now_ms
        self._search_retention_s = search_retention_s
        self.rounds = self.removed = 0

    async def sweep(self) -> int:
        """Make one round and return how many rows and idle queues were removed."""
        removed = await self._sweep()
        self.rounds += 1
        self.removed += removed
        return removed

    async def _sweep(self) -> int:
        removed = await self._idle.expire()
        if not await self._may_sweep():
            return removed
        await self._burials.bury_due()
        for _ in range(_SLICES_MAX):
            swept = await self._store.sweep(now_ms=self._now_ms(), limit=limits.SWEEP_ROWS_MAX)
            removed += swept.removed
            if not swept.more:
                break
            await asyncio.sleep(0)  # Requests that arrived during the slice come first.
        return removed + await self._sweep_index()

    async def _sweep_index(self) -> int:
        before_ms = self._now_ms() - self._search_retention_s * limits.SECOND_MS
        try:
            return await self._index.sweep(before_ms=before_ms, limit=limits.SWEEP_ROWS_MAX)
        except Unavailable:
            return 0  # The log knows. What is too old is removed in a later round.

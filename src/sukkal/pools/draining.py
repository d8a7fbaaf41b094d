"""Emptying the pools that are to give their queues to the others."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sukkal.errors import InvalidRequest, StoreUnavailable, SukkalError
from sukkal.model import QueueKey
from sukkal.pools.lease import Lease
from sukkal.pools.moving import Mover
from sukkal.pools.routing import PooledEngine

__all__ = ["Drains"]

_log: Final = logging.getLogger("sukkal.pools")


_RESTS_MS: Final = 30_000


class Drains:
    """Moves queues out of pools that drain, and brings to their end moves that were begun.

    A pool that is empty gets no more queues, but for those that somebody was about to make, so it is rarely looked at.
    """

    def __init__(self, engine: PooledEngine, mover: Mover, lease: Lease, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._mover = mover
        self._lease = lease
        self._now_ms = now_ms
        self._empty: dict[str, int] = {}
        self._refused: dict[QueueKey, set[str]] = {}
        self._refused_now: dict[QueueKey, set[str]] = {}
        self._going_on = asyncio.Lock()

    async def round(self) -> int:
        """Go on once, if there is something to do and nobody else does it, and return how many queues have moved."""
        async with self._going_on:
            return await self._round()

    async def _round(self) -> int:
        draining = self._draining()
        begun = await self._mover.begun() if len(self._engine.members) else []
        if not (draining or begun):
            self._refused.clear()
            return 0
        if not await self._lease.keep():
            return 0
        moved = 0
        self._refused_now.clear()
        for key in begun:
            moved += await self._move(key, None)
        for name in draining:
            empty = True
            async for key in self._engine.places.of_pool(name):
                empty = False
                member = self._engine.members.get(name)
                if member is None or not member.pool.draining or not await self._lease.keep():
                    break
                moved += await self._move(key, name)
            if empty:
                self._empty[name] = self._now_ms()
        await self._lease.give_back()
        # Not every move has its turn in each round; what was said of the others holds.
        self._refused |= self._refused_now
        return moved

    def _draining(self) -> list[str]:
        """Return the pools that drain, but for those that were empty a moment ago."""
        draining = [each.name for each in self._engine.members if each.pool.draining and not each.down]
        self._empty = {name: since_ms for name, since_ms in self._empty.items() if name in draining}
        return [name for name in draining if self._now_ms() - self._empty.get(name, -_RESTS_MS) >= _RESTS_MS]

    async def _target(self, key: QueueKey) -> str:
        queue = await self._engine.get_queue(key)
        flavor = queue.metadata.get("_flavor") if queue is not None else None
        try:
            return await self._engine.choice.choose(flavor)
        except InvalidRequest:
            # The flavor has been deleted.
            return await self._engine.choice.choose(None)
        except StoreUnavailable:
            of_it = "" if flavor is None else f" of its flavor {flavor}"
            raise StoreUnavailable(f"No other pool{of_it} takes queues now.") from None

    async def _move(self, key: QueueKey, source: str | None) -> int:
        """Move a queue out of a pool, or as it was begun, and return 1 if that is done."""
        try:
            if source is None:
                await self._mover.go_on(key)
            else:
                await self._mover.move(key, source, await self._target(key))
        except SukkalError as error:
            self._refuse(key, str(error))
            return 0
        self._refused_now.setdefault(key, set())
        return 1

    def _refuse(self, key: QueueKey, why: str) -> None:
        """Say why a queue did not move, unless that was so when it was tried last: it is tried again and again."""
        now = self._refused_now.setdefault(key, set())
        if why not in now and why not in self._refused.get(key, ()):
            _log.warning("the %s %s of project %s did not move: %s", key.kind, key.name, key.project, why)
        now.add(why)

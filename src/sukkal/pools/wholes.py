"""Calls that concern no single queue: they are made of each pool, and a pool that is down is passed by."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any, Final

from sukkal.errors import StoreUnavailable
from sukkal.model import Queue, QueueKey, QueueKind, QueueList, Swept, Usage
from sukkal.pools.definitions import HOME
from sukkal.pools.members import Members
from sukkal.pools.places import Places
from sukkal.store import Engine

__all__ = ["Wholes"]

_log: Final = logging.getLogger("sukkal.pools")

Find = Callable[[QueueKey], Awaitable[tuple[QueueKey, str | None]]]


class Wholes:
    """The calls of the engine over engines that go to all of them."""

    def __init__(self, home: Engine, members: Members, places: Places, find: Find) -> None:
        self._home = home
        self._members = members
        self._places = places
        self._find = find
        self._swept_first = 0

    async def list_queues(
        self, project: str, kind: QueueKind, *, after: str, limit: int, total: bool = False
    ) -> QueueList:
        """Return a page of queues by name; of those in a pool that is down, the names."""
        names = [HOME, *(each.name for each in self._members)]
        asked = (self._ask(name, "list_queues", project, kind, after=after, limit=limit, total=total) for name in names)
        pages: list[QueueList | None] = await asyncio.gather(*asked)
        down = [name for name, page in zip(names, pages, strict=True) if page is None]
        known = {name: await self._names(name, project, kind) for name in down}
        lists: list[Sequence[Queue]] = [page.queues for page in pages if page is not None]
        lists += [[_unread(key) for key in keys if key.name > after] for keys in known.values()]
        found: dict[QueueKey, Queue] = {}
        for queue in merge(*lists, key=attrgetter("key")):
            found.setdefault(queue.key, queue)  # One that is just being moved is in two pools for a moment.
        counts = [page.total or 0 for page in pages if page is not None] + [len(keys) for keys in known.values()]
        return QueueList(tuple(islice(found.values(), limit)), sum(counts) if total else None)

    async def _names(self, pool: str, project: str, kind: QueueKind) -> list[QueueKey]:
        return sorted([key async for key in self._places.of_pool(pool, project=project) if key.kind == kind])

    async def sweep(self, *, now_ms: int, limit: int) -> Swept:
        """Sweep one after another until the limit is reached; the next time another one is first."""
        names = [HOME, *(each.name for each in self._members)]
        first = self._swept_first % len(names)
        removed, more = 0, False
        for at, name in enumerate([*names[first:], *names[:first]]):
            if removed >= limit:
                self._swept_first = first + at
                return Swept(removed, more=True)
            swept: Swept | None = await self._ask(name, "sweep", now_ms=now_ms, limit=limit - removed)
            if swept is not None:
                removed, more = removed + swept.removed, more or swept.more
        return Swept(removed, more)

    async def due_queues(
        self, *, now_ms: int, limit: int, backlogs: bool = False, after: QueueKey | None = None
    ) -> tuple[QueueKey, ...]:
        """Return what is due: backlogs pool by pool, other queues by name."""
        names = [HOME, *(each.name for each in self._members)]
        if not backlogs:
            asked = (self._ask(name, "due_queues", now_ms=now_ms, limit=limit) for name in names)
            found: list[tuple[QueueKey, ...] | None] = await asyncio.gather(*asked)
            return tuple(sorted({key for keys in found for key in keys or ()})[:limit])
        start = None
        if after is not None:
            _, pool = await self._find(after)
            start = pool if pool in names else None
        due: list[QueueKey] = []
        for name in names if start is None else names[names.index(start) :]:
            behind = after if name == start else None
            page = await self._ask(
                name, "due_queues", now_ms=now_ms, limit=limit - len(due), backlogs=True, after=behind
            )
            due += page or ()
            if len(due) >= limit:
                break
        return tuple(due)

    async def usage(self, project: str, *, now_ms: int) -> Usage:
        """Count what the project keeps in the pools that answer."""
        names = [HOME, *(each.name for each in self._members)]
        found: list[Usage | None] = await asyncio.gather(
            *(self._ask(name, "usage", project, now_ms=now_ms) for name in names)
        )
        counted = [each for each in found if each is not None]
        return Usage(**{name: sum(getattr(each, name) for each in counted) for name in Usage.__struct_fields__})

    async def _ask(self, pool: str, call: str, *given: Any, **more: Any) -> Any:
        """Make a call of one engine; ``None`` if it is down."""
        if pool == HOME:
            return await getattr(self._home, call)(*given, **more)
        member = self._members.get(pool)
        if member is None:
            return None
        try:
            return await member.ask(call, *given, **more)
        except StoreUnavailable as error:
            _log.debug("passed by the pool %s: %s", pool, error)
            return None


def _unread(key: QueueKey) -> Queue:
    """Return a queue of which only the name is known."""
    return Queue(key=key, metadata={}, revision=0, created_ms=0)

"""The engines of the pools: opened, closed and tried, and left alone while they do not answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import Any, Final, Protocol, TypeVar

from sukkal.errors import StartupError, StoreUnavailable, SukkalError
from sukkal.model import QueueKey
from sukkal.moving import Moving
from sukkal.pools.definitions import POOLS, Pool, all_records, decoded, masked
from sukkal.records import Records
from sukkal.store import Engine, Shared

__all__ = ["Member", "Members", "MovableEngine", "Tell"]

T = TypeVar("T")

Tell = Callable[[Collection[QueueKey] | None], None]
Opened = Callable[["Member"], Awaitable[None]]

_log: Final = logging.getLogger("sukkal.pools")

_CALL_S_MAX: Final = 5
"""How long a call may take before its pool counts as down."""
_COUNTING_S_MAX: Final = 60
"""How long one may take that counts, which says nothing about the pool."""
_COUNTING: Final = frozenset({"stats", "usage", "usage_of"})
_TRIED: Final = QueueKey("", "sukkal-pool", "queue")  # No tenant has this project.


class MovableEngine(Engine, Moving, Protocol):
    """What a pool has to be: an engine whose queues can be moved."""


class Member:
    """An engine that is called only while it answers. Calls raise ``StoreUnavailable`` besides."""

    def __init__(self, pool: Pool, engine: MovableEngine, *, call_s: float = _CALL_S_MAX) -> None:
        self.pool = pool
        self.engine = engine
        self.down = False
        self._call_s = call_s
        self._started = self._ready = False
        self._hinting = False
        self._why = ""

    @property
    def name(self) -> str:
        """The name of the pool."""
        return self.pool.name

    @property
    def reason(self) -> str | None:
        """Why it counts as down, if it does."""
        return (self._why or None) if self.down else None

    async def ask(self, name: str, *given: Any, **more: Any) -> Any:
        """Make a call of the engine."""
        if self.down or not self._ready:
            raise _unavailable()
        if name in _COUNTING or more.get("total"):
            # It may take long for a good reason, so first it is seen whether anybody is there at all.
            await self._call("get_queue", (_TRIED,), {})
            return await self._call(name, given, more, within_s=_COUNTING_S_MAX)
        return await self._call(name, given, more)

    async def _call(self, name: str, given: Any, more: Any, *, within_s: float | None = None) -> Any:
        try:
            async with asyncio.timeout(within_s or self._call_s):
                return await getattr(self.engine, name)(*given, **more)
        except TimeoutError:
            if within_s is None:
                # It may be this queue alone that waits for something.
                await self._look()
            raise _unavailable() from None
        except StoreUnavailable:
            await self._look()
            raise

    async def _look(self) -> None:
        """See whether anybody is there after a call that failed, which may be the only one that does."""
        try:
            async with asyncio.timeout(self._call_s):
                await self.engine.get_queue(_TRIED)
        except (StoreUnavailable, TimeoutError) as error:
            self._fails(str(error) or "it does not answer")

    async def open(self, opened: Opened | None = None) -> str | None:
        """Start the engine, or see whether it answers again, and tell why it does not.

        It is not called before ``opened`` is done with it. If that raises ``StartupError`` the engine is closed,
        so that somebody else can have the data.
        """
        try:
            async with asyncio.timeout(self._call_s):
                if not self._started:
                    await self.engine.start()
                    self._started = True
                await self.engine.get_queue(_TRIED)
                if opened is not None:
                    await opened(self)
        except (SukkalError, TimeoutError, OSError) as error:
            why = str(error) or "it does not answer"
            self._fails(why)
            if isinstance(error, StartupError):
                await self.close()
            return why
        if self.down:
            _log.warning("the pool %s answers again", self.name)
        self.down = False
        self._ready = True
        return None

    def hints(self, tell: Tell) -> None:
        """Have it told what other processes do there, from when the engine has started."""
        if self._started and not self._hinting and isinstance(self.engine, Shared):
            self._hinting = True
            self.engine.hints(tell)

    async def close(self) -> None:
        """Let go of the engine, whether it answers or not."""
        if not self._started:
            return
        self._started = self._ready = self._hinting = False
        try:
            async with asyncio.timeout(self._call_s):
                await self.engine.close()
        except (SukkalError, TimeoutError, OSError) as error:
            _log.warning("the pool %s could not be closed: %s", self.name, str(error) or "it does not answer")

    def _fails(self, why: str) -> None:
        if not self.down or why != self._why:
            _log.warning("the pool %s (%s) is down: %s", self.name, masked(self.pool.uri), why)
        self.down, self._why = True, why


class Members:
    """The pools that there are, by name, as this process knows them."""

    def __init__(
        self, records: Records, make_engine: Callable[[str], MovableEngine], now_ms: Callable[[], int]
    ) -> None:
        self._records = records
        self._make_engine = make_engine
        self._now_ms = now_ms
        self._members: dict[str, Member] = {}
        self._changing = asyncio.Lock()

    def __iter__(self) -> Iterator[Member]:
        """Go over the pools in the order of their names."""
        return iter(tuple(self._members.values()))

    def __len__(self) -> int:
        return len(self._members)

    def get(self, name: str) -> Member | None:
        """Return a pool."""
        return self._members.get(name)

    async def refresh(self, opened: Opened) -> bool:
        """Open pools that are new, close those that are gone, try those that are down; tell whether any came or went.

        ``opened`` is told of each that answers, before it is called.
        """
        async with self._changing:
            now_ms = self._now_ms()
            records = all_records(self._records, POOLS, project="", now_ms=now_ms)
            wanted = {record.key.name: decoded(record, Pool) async for record in records}
            before = set(self._members)
            gone = [each for each in self if each.name not in wanted or each.pool.uri != wanted[each.name].uri]
            for member in gone:
                del self._members[member.name]
                await member.close()
            self._members = {name: self._member(wanted[name]) for name in sorted(wanted)}
            trying = [each for each in self if each.down or each.name not in before or each in gone]
            await asyncio.gather(*(each.open(opened) for each in trying))
            return bool(gone) or set(self._members) != before

    async def close(self) -> None:
        """Close all pools."""
        async with self._changing:
            await asyncio.gather(*(each.close() for each in self))
            self._members.clear()

    def _member(self, pool: Pool) -> Member:
        member = self._members.get(pool.name)
        if member is None:
            return Member(pool, self._make_engine(pool.uri))
        member.pool = pool
        return member

    def by_name(self) -> Mapping[str, Member]:
        """Return the pools by their names."""
        return dict(self._members)


def _unavailable() -> StoreUnavailable:
    # Tenants are not told the names of pools; the log is.
    return StoreUnavailable("The store of this queue does not answer. Please try again in a few seconds.")

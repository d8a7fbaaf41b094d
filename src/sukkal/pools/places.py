"""The catalogue: in which pool each queue lies, once and for all nodes.

A place is a record, written by a compare-and-swap: of two nodes that create a queue at once one is first. What was read
is trusted for a minute. A queue that is deleted leaves its place *open* for an hour, so that whoever still knows it and
whoever looks make the same queue again; then the place is removed, unless the queue is there.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from sukkal.errors import StoreUnavailable
from sukkal.model import QueueKey, QueueKind, RecordKey
from sukkal.pools.definitions import HOME, all_records
from sukkal.store import Engine

__all__ = ["Places", "place_key"]

_PLACES: Final = "place"
_OPEN: Final = "open-place"
_REMEMBERED_MAX: Final = 100_000
_TRUSTED_MS: Final = 60_000
_KEPT_OPEN_MS: Final = 3_600_000
_TRIES: Final = 20
_READ_AT_ONCE: Final = 1_000


class _Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """The pool in which a queue lies; ``open`` if the queue was deleted; ``moved`` is the token of its last move."""

    pool: str
    open: bool = False
    moved: int = 0


class _Known(NamedTuple):
    pool: str
    until_ms: int


class Places:
    """Where queues lie. All keys are those of owners: of queues that are not hidden with another one."""

    def __init__(self, home: Engine, now_ms: Callable[[], int]) -> None:
        self._home = home
        self._now_ms = now_ms
        self._known: dict[QueueKey, _Known] = {}
        self._tidied = ("", "")

    async def find(self, key: QueueKey) -> str | None:
        """Return the pool in which a queue lies or lay last, ``None`` if there never was one."""
        known = self._known.get(key)
        if known is not None and self._now_ms() < known.until_ms:
            return known.pool
        read = await self._read(key)
        if read is not None:
            place = msgspec.json.decode(read, type=_Place)
            return place.pool if place.open else self._remember(key, place.pool)
        if await self._home.get_queue(key) is not None:
            return self._remember(key, HOME)
        return None

    async def ensure(self, key: QueueKey, choose: Callable[[str | None], Awaitable[str]]) -> str:
        """Return the pool in which a queue lies, or is to be created.

        ``choose`` is asked if it has none: it is told the pool in which it was before it was deleted, if so, and
        returns that one or raises.
        """
        known = self._known.get(key)
        if known is not None and self._now_ms() < known.until_ms:
            return known.pool
        for _ in range(_TRIES):
            read = await self._read(key)
            place = None if read is None else msgspec.json.decode(read, type=_Place)
            if place is None and await self._home.get_queue(key) is not None:
                return self._remember(key, HOME)
            if place is not None and not place.open:
                return self._remember(key, place.pool)
            pool = await choose(None if place is None else place.pool)
            moved = 0 if place is None else place.moved
            if await self._swap(key, read, _Place(pool, moved=moved)):
                return self._remember(key, pool)
        raise StoreUnavailable("Many others create this queue. Please try again.")

    async def leave(self, key: QueueKey, pool: str) -> None:
        """Take note that a queue was deleted from a pool."""
        read = await self._read(key)
        # What was there before the first pool has no place; somebody who knew it may make it again all the same.
        place = _Place(pool) if read is None else msgspec.json.decode(read, type=_Place)
        self.forget(key)
        if not place.open and place.pool == pool and await self._swap(key, read, replace(place, open=True)):
            await self._home.put_record(_open_key(key), b"%d" % self._now_ms(), now_ms=self._now_ms())

    async def move(self, key: QueueKey, source: str, target: str, *, token: int) -> None:
        """Let a queue lie in another pool from now on.

        Raises ``StoreUnavailable`` if it is in neither, or was moved with a greater token.
        """
        for _ in range(_TRIES):
            read = await self._read(key)
            place = _Place(source) if read is None else msgspec.json.decode(read, type=_Place)
            self.forget(key)
            if place.pool == target:
                return
            if place.pool != source or place.moved > token:
                break
            if await self._swap(key, read, replace(place, pool=target, moved=token)):
                return
        raise StoreUnavailable("The queue lies elsewhere.")

    def forget(self, key: QueueKey) -> None:
        """Trust what was read of a place no more."""
        self._known.pop(key, None)

    async def tidy(self, exists: Callable[[QueueKey, str], Awaitable[bool]], *, limit: int) -> int:
        """Remove open places that nobody can remember any more, and return how many were looked at.

        Up to ``limit`` are read, behind those of the call before; in front may stand as many that are too young.
        """
        now_ms = self._now_ms()
        page = await self._home.list_records(_OPEN, None, after=self._tidied, limit=limit, now_ms=now_ms)
        self._tidied = page.next or ("", "")
        looked = 0
        for record in page.records:
            if now_ms < int(record.value) + _KEPT_OPEN_MS:
                continue
            key = _key_of(record.key)
            looked += await self._tidy(key, exists)
            await self._home.swap_record(record.key, record.value, None, now_ms=now_ms)
        return looked

    async def _tidy(self, key: QueueKey, exists: Callable[[QueueKey, str], Awaitable[bool]]) -> int:
        read = await self._read(key)
        if read is None or not (place := msgspec.json.decode(read, type=_Place)).open:
            return 0
        there = await exists(key, place.pool)
        await self._swap(key, read, replace(place, open=False) if there else None)
        return 1

    async def of_pool(self, pool: str, *, project: str | None = None) -> AsyncIterator[QueueKey]:
        """Yield the queues that lie in a pool, or have just been deleted there."""
        now_ms = self._now_ms()
        async for record in all_records(self._home, _PLACES, project=project, now_ms=now_ms, at_once=_READ_AT_ONCE):
            if msgspec.json.decode(record.value, type=_Place).pool == pool:
                yield _key_of(record.key)

    async def _read(self, key: QueueKey) -> bytes | None:
        record = await self._home.get_record(place_key(key), now_ms=self._now_ms())
        return None if record is None else record.value

    async def _swap(self, key: QueueKey, old: bytes | None, new: _Place | None) -> bool:
        value = None if new is None else msgspec.json.encode(new)
        return await self._home.swap_record(place_key(key), old, value, now_ms=self._now_ms())

    def _remember(self, key: QueueKey, pool: str) -> str:
        if len(self._known) >= _REMEMBERED_MAX:
            self._known.pop(next(iter(self._known)))
        self._known[key] = _Known(pool, self._now_ms() + _TRUSTED_MS)
        return pool


def place_key(key: QueueKey) -> RecordKey:
    """Return the key of the record of a queue's place."""
    return RecordKey(_PLACES, key.project, f"{key.kind}/{key.name}")


def _open_key(key: QueueKey) -> RecordKey:
    return place_key(key)._replace(kind=_OPEN)


def _key_of(key: RecordKey) -> QueueKey:
    kind, _, name = key.name.partition("/")
    return QueueKey(key.project, name, msgspec.convert(kind, QueueKind))

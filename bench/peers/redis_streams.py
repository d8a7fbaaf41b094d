"""Redis Streams with consumer groups, and every command synced to the disk."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import redis.asyncio
from tests.clients.redis import Redis

from bench.peers.peer import BODY, LISTED, QUEUES, TAKEN_AT_ONCE, Peer, Surroundings, queue_of
from bench.wire import BenchError

__all__ = ["RedisStreams"]

_GROUP = "workers"
_AT_ONCE = 100
_WAIT_MS = 1_000


class RedisStreams(Peer):
    """A Redis that syncs its log before it answers."""

    name = "Redis Streams"
    durability = "on the disk (appendfsync always)"

    @property
    def roots(self) -> Sequence[int]:
        """Its one process."""
        return [self._redis.pid]

    async def start(self, around: Surroundings, connections: int) -> None:
        """Start it and connect to it."""
        flags = ("--save", "", "--appendonly", "yes", "--appendfsync", "always")
        self._redis = self.opened.enter_context(Redis(around.folder, *flags, prepare=around.pin))
        self._clients: list[Any] = [redis.asyncio.Redis(port=self._redis.port) for _ in range(connections)]
        for client in self._clients:
            self.opened.push_async_callback(client.aclose)

    async def make(self, case: str) -> None:
        """Make the streams and their groups."""
        for number in range(QUEUES):
            await self._clients[0].xgroup_create(queue_of(case, number), _GROUP, mkstream=True)

    async def post(self, case: str, number: int) -> None:
        """Add an entry."""
        await self._clients[number].xadd(queue_of(case, number), {"body": BODY})

    async def fill(self, case: str, number: int, messages: int) -> None:
        """Add a hundred entries at a time."""
        for at in range(0, messages, _AT_ONCE):
            pipeline = self._clients[number].pipeline(transaction=False)
            for _ in range(min(_AT_ONCE, messages - at)):
                pipeline.xadd(queue_of(case, number), {"body": BODY})
            await pipeline.execute()

    async def take(self, case: str, number: int) -> None:
        """Read ten entries as a group does, acknowledge and delete them."""
        stream, client = queue_of(case, number), self._clients[number]
        found = await client.xreadgroup(_GROUP, str(number), {stream: ">"}, count=TAKEN_AT_ONCE)
        ids = [id_ for entries in _entries(found) for id_ in entries]
        if len(ids) != TAKEN_AT_ONCE:
            raise BenchError(f"{self.name}: {len(ids)} of {TAKEN_AT_ONCE} entries were found")
        await client.pipeline().xack(stream, _GROUP, *ids).xdel(stream, *ids).execute()

    async def list(self, case: str, number: int) -> None:
        """Read the first entries of a stream."""
        if len(await self._clients[number].xrange(queue_of(case, number), count=LISTED)) != LISTED:
            raise BenchError(f"{self.name}: a listing has too little")

    async def listen(self, case: str, heard: Callable[[], None]) -> None:
        """Read what comes, again and again."""
        client = redis.asyncio.Redis(port=self._redis.port)
        self.opened.push_async_callback(client.aclose)
        stream, last = queue_of(case, 0), b"0"

        async def read() -> None:
            nonlocal last
            while True:
                for ids in _entries(await client.xread({stream: last}, block=_WAIT_MS)):
                    for _ in ids:
                        heard()
                    last = ids[-1]

        reading = asyncio.create_task(read())
        self.opened.callback(reading.cancel)


def _entries(found: Any) -> list[list[bytes]]:
    """Return the ids by stream; clients of either protocol give pairs or a mapping."""
    streams = found.values() if isinstance(found, dict) else [entries for _, entries in found or []]
    return [[id_ for id_, _ in _flat(entries)] for entries in streams]


def _flat(entries: Any) -> Any:
    return entries[0] if entries and isinstance(entries[0], list) else entries

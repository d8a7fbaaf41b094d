"""Pools of which queues are moved, by somebody who may fail or die at any call."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any

import msgspec
from msgspec.structs import replace

from sukkal.engines.memory import MemoryEngine
from sukkal.model import NewClaim, NewMessage, Post, QueueKey, Subscription, View
from sukkal.pools.definitions import pool_key
from sukkal.pools.draining import Drains
from sukkal.pools.lease import Lease
from sukkal.pools.members import MovableEngine
from sukkal.pools.moving import Mover
from sukkal.testing import FakeClock
from tests.pools.faulty import Faults, faulty
from tests.pools.pooled import Pools

__all__ = ["ALL", "QUEUE", "Scene", "in_memory", "other", "run", "subscription"]

QUEUE = QueueKey("project", "queue")
ALL = View(claimed=True, delayed=True)


class Scene:
    """Pools, somebody who moves queues, and the calls of those who use them."""

    def __init__(self, engines: dict[str, MovableEngine], home: MovableEngine, faults: Faults | None = None) -> None:
        self.clock = FakeClock()
        self.faults = faults or Faults()
        self.engines = engines
        self.home = home
        self.numbers = count(1)
        self.engine = self.node()

    def node(self) -> Pools:
        """Return another node at the same pools. Whatever it asks may fail."""
        return Pools(
            faulty(self.home, self.faults),
            list(self.engines),
            now_ms=self.clock,
            make_engine=lambda uri: faulty(self.engines[uri], self.faults),
        )

    def drains(self, engine: Pools, name: str = "one") -> Drains:
        """Return somebody who moves queues on a node."""
        lease = Lease(engine, "mover", name, self.clock)
        mover = Mover(engine, engine.places, engine.owners, engine.ask, lease, self.clock)
        return Drains(engine, mover, lease, self.clock)

    async def drain(self, name: str, *, draining: bool = True) -> None:
        """Let a pool give its queues to the others, or no longer."""
        pool = replace(self.engine.members.by_name()[name].pool, name="", created_ms=0, draining=draining)
        await self.engine.put_record(pool_key(name), msgspec.json.encode(pool), now_ms=self.clock())
        await self.engine.refresh()

    async def post(self, number: int = 1, **more: Any) -> list[str]:
        """Post messages and return their ids."""
        ids = [f"m{next(self.numbers):05}" for _ in range(number)]
        messages = tuple(NewMessage(id=id_, body=b"1", ttl_s=3_600, **more) for id_ in ids)
        await self.engine.publish([Post(QUEUE, messages)], now_ms=self.clock())
        return ids

    async def claim(self, limit: int = 5) -> tuple[str, list[str]]:
        """Claim messages and return the id of the claim and theirs."""
        new = NewClaim(id=f"c{next(self.numbers):05}", ttl_s=60, grace_s=60)
        return new.id, [each.id for each in await self.engine.claim(QUEUE, new, limit=limit, now_ms=self.clock())]

    async def all(self) -> list[str]:
        """Return the ids of all messages in the order of posting."""
        page = await self.engine.browse(QUEUE, after=None, limit=10_000, view=ALL, now_ms=self.clock())
        return [each.id for each in page.messages]

    async def place(self) -> str | None:
        """Return the pool in which the queue is."""
        self.engine.places.forget(QUEUE)
        return await self.engine.places.find(QUEUE)


def in_memory() -> Scene:
    return Scene({"memory://1": MemoryEngine(), "memory://2": MemoryEngine()}, MemoryEngine())


def run(story: Callable[[Scene], Coroutine[Any, Any, None]], scene: Scene) -> None:
    async def told() -> None:
        await scene.engine.start()
        await story(scene)
        await scene.engine.close()

    asyncio.run(told())


def subscription(scene: Scene) -> Subscription:
    now_ms = scene.clock()
    return Subscription(
        id="s1",
        queue=QUEUE,
        subscriber="http://a/",
        ttl_s=3_600,
        options={},
        confirmed=True,
        created_ms=now_ms,
        expires_ms=now_ms + 3_600_000,
    )


def other(place: str | None) -> str:
    return {"p1": "p2", "p2": "p1"}[str(place)]

"""Queues that expire, at several nodes: used at one, they are not removed by another."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sukkal.engines.memory import MemoryEngine
from sukkal.model import Idle, Queue, QueueKey
from sukkal.service.idle import IdleQueues
from sukkal.service.uses import Uses
from sukkal.service.waiting import Waiting
from sukkal.testing import FakeClock

KEY = QueueKey("p", "q")
IDLE_S = 100
ROUND_S = 1


class Nobody:
    """Listens to nothing."""

    def at(self, key: QueueKey) -> bool:
        return False


class Removal:
    """Removes queues, and nothing with them."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine

    async def remove_idle(self, queue: Queue, idle: Idle, *, now_ms: int) -> bool:
        return await self._engine.delete_queue(queue.key, idle=idle, now_ms=now_ms)


class Scene:
    """Two nodes, and so many seconds that pass."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.engine = MemoryEngine()
        self.waiting = [Waiting(self.engine, self.clock) for _ in range(2)]
        self.nodes = [self.node(each) for each in self.waiting]

    def node(self, waiting: Waiting) -> IdleQueues:
        nobody: Any = Nobody()
        removal: Any = Removal(self.engine)
        return IdleQueues(self.engine, Uses(self.clock), waiting, nobody, removal, self.clock, round_s=ROUND_S)

    async def make(self) -> None:
        await self.nodes[0].watch(KEY, IDLE_S)
        await self.engine.put_queue(KEY, {"_expires_after": IDLE_S}, revision=None, now_ms=self.clock())
        await self.rounds(1)

    async def rounds(self, seconds: int, *, at: tuple[int, ...] = (0, 1), use: int | None = None) -> bool:
        """Let time pass, and tell whether the queue is still there."""
        for _ in range(seconds):
            self.clock.advance(1_000)
            if use is not None:
                self.nodes[use].use(KEY)
            for number in at:
                await self.nodes[number].expire()
        return await self.engine.get_queue(KEY) is not None


def run(scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario(Scene())

    asyncio.run(main())


@pytest.mark.parametrize("user", [0, 1])
def test_a_queue_that_is_used_at_any_node_stays(user: int) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.make()
        assert await scene.rounds(5 * IDLE_S, use=user)

    run(scenario)


@pytest.mark.parametrize("user", [0, 1])
def test_after_its_last_use_it_goes_not_too_early_and_not_much_too_late(user: int) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.make()
        await scene.rounds(2 * IDLE_S + 13, use=user)
        assert await scene.rounds(IDLE_S - 1)
        assert not await scene.rounds(IDLE_S // 4 + 5)

    run(scenario)


def test_a_node_that_dies_takes_no_use_with_it() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.make()
        await scene.rounds(2 * IDLE_S + 13, use=0)
        assert await scene.rounds(IDLE_S - 1, at=(1,))
        assert not await scene.rounds(IDLE_S, at=(1,))

    run(scenario)


def test_a_queue_stays_while_somebody_waits_at_another_node() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.make()

        async def look() -> bool:
            return False

        waits = asyncio.ensure_future(scene.waiting[1].until(KEY, look, wait_s=900, takes=False))
        await asyncio.sleep(0)
        assert await scene.rounds(3 * IDLE_S)
        scene.waiting[1].close()
        await waits
        assert not await scene.rounds(2 * IDLE_S)

    run(scenario)


def test_what_is_gone_is_forgotten_by_all_nodes() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.make()
        assert not await scene.rounds(3 * IDLE_S)
        assert not any(node.watches(KEY) for node in scene.nodes)

    run(scenario)

"""A pool that does not answer hurts only its queues."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from sukkal.engines.memory import MemoryEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.errors import StoreUnavailable
from sukkal.model import NewMessage, Post, QueueKey, Stats
from sukkal.pools.definitions import Pool, masked
from sukkal.pools.members import Member
from sukkal.testing import FakeClock
from tests.pools.faulty import Faults, faulty, hanging
from tests.pools.pooled import Pools

NAMES = [f"q{number}" for number in range(12)]


class Scene:
    """Two pools, of which one can hang for ever, and queues in both."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.hangs = False
        healthy, sick = MemoryEngine(), MemoryEngine()
        engines = {"memory://1": healthy, "memory://2": hanging(sick, lambda: self.hangs)}
        self.engine = Pools(MemoryEngine(), list(engines), now_ms=self.clock, make_engine=engines.__getitem__)

    async def fill(self) -> dict[str, list[str]]:
        """Post to all queues and return their names by pool."""
        for name in NAMES:
            await self.post(name)
        return {pool: [key.name async for key in self.engine.places.of_pool(pool)] for pool in ("p1", "p2")}

    async def post(self, name: str) -> None:
        """Post a message."""
        message = NewMessage(id=f"m-{name}-{self.clock()}", body=b"1", ttl_s=60)
        await self.engine.publish([Post(QueueKey("p", name), (message,))], now_ms=self.clock())


def run(story: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
    async def told() -> None:
        scene = Scene()
        await scene.engine.start()
        for member in scene.engine.members:
            member._call_s = 0.02
        await story(scene)
        await scene.engine.close()

    asyncio.run(told())


def test_after_one_call_without_an_answer_the_others_fail_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async def story(scene: Scene) -> None:
        pools = await scene.fill()
        assert pools["p1"]
        assert pools["p2"]
        scene.hangs = True
        with caplog.at_level(logging.WARNING), pytest.raises(StoreUnavailable):
            await scene.post(pools["p2"][0])
        assert "the pool p2" in caplog.text
        assert scene.engine.members.by_name()["p2"].down
        for name in pools["p2"]:
            with pytest.raises(StoreUnavailable) as refused:
                await scene.post(name)
            assert "p2" not in str(refused.value)
        for name in pools["p1"]:
            scene.clock.advance(1)
            await scene.post(name)

    run(story)


def test_work_of_all_queues_goes_on_without_it() -> None:
    async def story(scene: Scene) -> None:
        pools = await scene.fill()
        scene.hangs = True
        engine, now_ms = scene.engine, scene.clock()
        listed = await engine.list_queues("p", "queue", after="", limit=100, total=True)
        assert [queue.key.name for queue in listed.queues] == sorted(NAMES)
        assert listed.total == len(NAMES)
        page = await engine.list_queues("p", "queue", after="q1", limit=3)
        assert [queue.key.name for queue in page.queues] == sorted(NAMES)[2:5]
        assert (await engine.usage("p", now_ms=now_ms)).queues == len(pools["p1"])
        scene.clock.advance(60_000)
        assert (await engine.sweep(now_ms=scene.clock(), limit=100)).removed >= len(pools["p1"])
        assert await engine.due_queues(now_ms=now_ms, limit=5, backlogs=True) == ()

    run(story)


def test_new_queues_go_to_the_pools_that_answer() -> None:
    async def story(scene: Scene) -> None:
        scene.hangs = True
        await scene.engine.list_queues("p", "queue", after="", limit=1)
        for name in NAMES:
            await scene.post(name)
        assert len([key async for key in scene.engine.places.of_pool("p1")]) == len(NAMES)

    run(story)


def test_it_is_used_again_when_it_answers() -> None:
    async def story(scene: Scene) -> None:
        pools = await scene.fill()
        scene.hangs = True
        with pytest.raises(StoreUnavailable):
            await scene.post(pools["p2"][0])
        await scene.engine.refresh()
        assert scene.engine.members.by_name()["p2"].down
        scene.hangs = False
        await scene.engine.refresh()
        scene.clock.advance(1)
        await scene.post(pools["p2"][0])

    run(story)


def test_a_directory_that_another_process_has_makes_one_pool_down_and_no_more(tmp_path: Path) -> None:
    async def story() -> None:
        other = SqliteEngine(tmp_path / "b")
        await other.start()
        pools = [f"sqlite:///{tmp_path}/{name}" for name in "ab"]
        engine = Pools(SqliteEngine(tmp_path / "home"), pools)
        await engine.start()
        assert [member.down for member in engine.members] == [False, True]
        message = NewMessage(id="m", body=b"1", ttl_s=60)
        for name in NAMES:
            await engine.publish([Post(QueueKey("p", name), (message,))], now_ms=1)
        await other.close()
        await engine.refresh()
        assert [member.down for member in engine.members] == [False, False]
        await engine.close()

    asyncio.run(story())


def test_a_count_that_takes_long_says_nothing_about_the_pool() -> None:
    async def story() -> None:
        member = Member(
            Pool(uri="memory://", weight=1, name="p"), hanging(MemoryEngine(), lambda: True, only="usage"), call_s=0.02
        )
        assert await member.open() is None
        counting = asyncio.ensure_future(member.ask("usage", "p", now_ms=1))
        assert await member.ask("stats", QueueKey("p", "q"), now_ms=1) == Stats()
        assert not counting.done()
        assert not member.down
        counting.cancel()

    asyncio.run(story())


def test_a_call_on_one_queue_that_takes_long_says_nothing_about_the_pool() -> None:
    async def story() -> None:
        member = Member(
            Pool(uri="memory://", weight=1, name="p"),
            hanging(MemoryEngine(), lambda: True, only="publish"),
            call_s=0.02,
        )
        assert await member.open() is None
        message = NewMessage(id="m", body=b"1", ttl_s=60)
        with pytest.raises(StoreUnavailable):
            await member.ask("publish", [Post(QueueKey("p", "q"), (message,))], now_ms=1)
        assert not member.down
        assert await member.ask("stats", QueueKey("p", "other"), now_ms=1) == Stats()

    asyncio.run(story())


def test_a_pool_that_answers_but_can_do_nothing_keeps_no_node_from_starting(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        faults = Faults()
        engine = Pools(
            MemoryEngine(), ["memory://1", "memory://2"], make_engine=lambda uri: faulty(MemoryEngine(), faults)
        )
        faults.reset(name="admit")
        await engine.start()
        assert sorted(member.down for member in engine.members) == [False, True]
        assert "is down: died before" in caplog.text
        faults.reset(name="admit")
        await engine.refresh()
        assert sorted(member.down for member in engine.members) == [False, True]
        await engine.refresh()
        assert [member.down for member in engine.members] == [False, False]
        await engine.close()

    asyncio.run(story())


def test_a_pool_is_not_called_before_its_numbers_were_raised() -> None:
    async def story() -> None:
        member = Member(Pool(uri="memory://", weight=1, name="p"), MemoryEngine())

        async def opened(member: Member) -> None:
            with pytest.raises(StoreUnavailable):
                await member.ask("get_queue", QueueKey("p", "q"))

        assert await member.open(opened) is None
        assert await member.ask("get_queue", QueueKey("p", "q")) is None

    asyncio.run(story())


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("sqlite:////srv/a", "sqlite:////srv/a"),
        ("postgresql://u:s3cret@h:5/d", "postgresql://u:***@h:5/d"),
        ("postgresql://u@h/d?password=s3cret&x=1", "postgresql://u@h/d?password=***&x=1"),
        ("postgresql://u:a:b@c@h/d", "postgresql://u:***@h/d"),
        ("postgresql://h/d?sslpassword=s3cret", "postgresql://h/d?sslpassword=***"),
        ("memory://", "memory://"),
    ],
)
def test_passwords_are_not_shown(uri: str, shown: str) -> None:
    assert masked(uri) == shown

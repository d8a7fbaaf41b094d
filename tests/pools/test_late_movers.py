"""A mover that stands still longer than its lease lasts goes on when another one has taken over; nothing is lost."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sukkal.engines.memory import MemoryEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.errors import Conflict, QueueMoved, StoreUnavailable, SukkalError
from sukkal.model import NewMessage, Post, RecordKey
from sukkal.pools.lease import Lease
from sukkal.pools.moving import Mover
from tests.pools.scene import QUEUE, Scene, in_memory, other, run

Around = Callable[[str, str], Awaitable[None]]
LEASE_MS = 60_000


@pytest.fixture(params=["memory", "sqlite"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    if request.param == "memory":
        return in_memory()
    return Scene({f"d://{name}": SqliteEngine(tmp_path / name) for name in "ab"}, SqliteEngine(tmp_path / "home"))


def mover_of(scene: Scene, name: str, around: Around) -> tuple[Mover, Lease]:
    """Return a mover of which each call waits for ``around``, and its lease."""
    users = scene.engine

    async def ask(pool: str, call: str, *given: Any, **more: Any) -> Any:
        await around(pool, call)
        return await users.ask(pool, call, *given, **more)

    lease = Lease(users, "mover", name, scene.clock)
    return Mover(users, users.places, users.owners, ask, lease, scene.clock), lease


class StandsStill:
    """A mover that stands still before a call of a name for the first time, until it is told to go on."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.waits = asyncio.Event()
        self.goes_on = asyncio.Event()
        self._name = name
        self.mover, self.lease = mover_of(scene, "early", self._around)

    async def _around(self, pool: str, call: str) -> None:
        if call == self._name and not self.waits.is_set():
            self.waits.set()
            await self.goes_on.wait()

    async def move(self, source: str) -> None:
        assert await self.lease.keep()
        with contextlib.suppress(SukkalError):
            await self.mover.move(QUEUE, source, other(source))


STEPS = ["stored_after", "stage", "hold", "changes", "details", "open_staged", "give_up", "drop_staged"]


@pytest.mark.parametrize("later", STEPS)
@pytest.mark.parametrize("early", STEPS)
def test_a_mover_that_comes_late_spoils_nothing_at_any_step(scene: Scene, early: str, later: str) -> None:
    async def story(scene: Scene) -> None:
        posted = await scene.post(5)
        source = str(await scene.place())
        late = StandsStill(scene, early)
        moving = asyncio.create_task(late.move(source))
        await late.waits.wait()
        scene.clock.advance(LEASE_MS)

        async def around(pool: str, call: str) -> None:
            if call == later and not late.goes_on.is_set():
                late.goes_on.set()
                await moving
                # Whoever uses the queue may be told to wait, but nothing that was taken may be lost.
                with contextlib.suppress(QueueMoved):
                    posted.extend(await scene.post(1))

        second, lease = mover_of(scene, "second", around)
        assert await lease.keep()
        with contextlib.suppress(SukkalError):
            await second.go_on(QUEUE)
        late.goes_on.set()
        await moving
        scene.clock.advance(LEASE_MS)
        third, _ = mover_of(scene, "third", no_matter)
        await third.go_on(QUEUE)
        assert await scene.place() == other(source)
        assert await scene.all() == posted
        posted.extend(await scene.post(1))
        assert await scene.all() == posted

    run(story, scene)


@pytest.mark.parametrize("early", STEPS)
def test_a_mover_that_comes_after_the_queue_has_come_back_spoils_nothing(scene: Scene, early: str) -> None:
    async def story(scene: Scene) -> None:
        posted = await scene.post(5)
        source = str(await scene.place())
        late = StandsStill(scene, early)
        moving = asyncio.create_task(late.move(source))
        await late.waits.wait()
        for place in (source, other(source)):
            scene.clock.advance(LEASE_MS)
            second, _ = mover_of(scene, "second", no_matter)
            if place == source:
                await second.go_on(QUEUE)
            else:
                await second.move(QUEUE, place, other(place))
        posted.extend(await scene.post(1))
        late.goes_on.set()
        await moving
        assert await scene.place() == source
        posted.extend(await scene.post(1))
        assert await scene.all() == posted

    run(story, scene)


async def no_matter(pool: str, call: str) -> None:
    """Let each call be made at once."""


def test_a_mover_keeps_its_lease_while_it_has_much_to_bring_over() -> None:
    async def story(scene: Scene) -> None:
        await scene.post(1_000)
        source = str(await scene.place())

        async def slow(pool: str, call: str) -> None:
            scene.clock.advance(9_000 if call == "stage" else 0)

        mover, lease = mover_of(scene, "one", slow)
        assert await lease.keep()
        await mover.move(QUEUE, source, other(source))
        assert await scene.place() == other(source)
        assert not await Lease(scene.engine, "mover", "two", scene.clock).keep()

    run(story, in_memory())


def test_a_queue_takes_writes_while_the_target_of_a_move_that_was_interrupted_is_down(scene: Scene) -> None:
    async def story(scene: Scene) -> None:
        ids = await scene.post(3)
        source = str(await scene.place())
        await scene.drain(source)
        scene.faults.reset(name="details", dies=True)
        with contextlib.suppress(StoreUnavailable):
            await scene.drains(scene.engine).round()
        scene.faults.reset()
        await scene.engine.refresh()
        with pytest.raises(QueueMoved):
            await scene.post(1)
        scene.clock.advance(LEASE_MS)
        target = scene.engine.members.by_name()[other(source)]
        target.down = True
        assert await scene.drains(scene.engine, "two").round() == 0
        ids += await scene.post(1)
        target.down = False
        assert await scene.drains(scene.engine, "two").round() == 1
        assert await scene.place() == other(source)
        assert await scene.all() == ids

    run(story, scene)


def test_a_queue_of_the_same_name_in_the_target_is_not_taken_for_the_one_that_moves(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(scene: Scene) -> None:
        ids = await scene.post(5)
        source = str(await scene.place())
        target = scene.engine.members.by_name()[other(source)]
        stray = NewMessage(id="stray", body=b"1", ttl_s=60)
        await target.ask("publish", [Post(QUEUE, (stray,))], now_ms=scene.clock())
        await scene.drain(source)
        for _ in range(2):
            assert await scene.drains(scene.engine).round() == 0
        assert f"the pool {other(source)} has a queue of this name already" in caplog.text.lower()
        assert await scene.place() == source
        ids += await scene.post(1)
        assert await scene.all() == ids
        await target.ask("delete_queue", QUEUE)
        assert await scene.drains(scene.engine).round() == 1
        assert await scene.all() == ids

    run(story, scene)


def test_two_pools_that_are_one_database_cannot_destroy_a_queue_by_moving_it() -> None:
    async def story(scene: Scene) -> None:
        ids = await scene.post(5)
        source = str(await scene.place())
        mover, _ = mover_of(scene, "one", no_matter)
        with pytest.raises(Conflict):
            await mover.move(QUEUE, source, other(source))
        assert await scene.all() == ids
        await scene.post(1)

    one = MemoryEngine()
    run(story, Scene({"memory://1": one, "memory://2": one}, MemoryEngine()))


@pytest.mark.parametrize("opened", [False, True])
def test_a_move_that_an_older_version_began_is_brought_to_its_end(scene: Scene, *, opened: bool) -> None:
    async def story(scene: Scene) -> None:
        ids = await scene.post(3)
        source = str(await scene.place())
        members = scene.engine.members.by_name()
        now_ms = scene.clock()
        record = RecordKey("queue-move", QUEUE.project, f"{QUEUE.kind}/{QUEUE.name}")
        value = msgspec.json.encode({"source": source, "target": other(source), "backlogs": []})
        await scene.engine.put_record(record, value, now_ms=now_ms)
        await members[source].ask("hold", [QUEUE], held=True)
        if opened:
            frame = await members[source].ask("frame", QUEUE)
            stored = await members[source].ask("stored_after", QUEUE, -1, limit=9, now_ms=now_ms)
            await members[other(source)].ask("stage", frame, stored=stored, now_ms=now_ms)
            await members[other(source)].ask("open_staged", [QUEUE], now_ms=now_ms)
        assert await scene.drains(scene.engine).round() == 1
        assert await scene.place() == other(source)
        assert await scene.all() == ids
        assert await scene.engine.get_record(record, now_ms=now_ms) is None

    run(story, scene)

"""Queues move while they are used, and moves that were interrupted at any step are brought to their end."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from msgspec.structs import replace

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.errors import ClaimNotFound, QueueMoved, StoreUnavailable
from sukkal.model import Ack, NewMessage, Once, Position, Post, QueueKey, Release
from sukkal.pools.definitions import HOME
from sukkal.pools.lease import Lease
from sukkal.pools.moving import Mover
from sukkal.pools.owners import history_of
from sukkal.pools.places import Places
from tests.pools.scene import ALL, QUEUE, Scene, in_memory, other, run, subscription


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    if request.param == "memory":
        return in_memory()
    if request.param == "postgresql":
        home, *pools = request.getfixturevalue("three_databases")
        return Scene({url: PostgresqlEngine(url) for url in pools}, PostgresqlEngine(home))
    return Scene({f"d://{name}": SqliteEngine(tmp_path / name) for name in "ab"}, SqliteEngine(tmp_path / "home"))


def test_a_pool_that_drains_gives_its_queues_to_the_others(scene: Scene) -> None:
    async def story(scene: Scene) -> None:
        ids = await scene.post(500)
        claim_id, held = await scene.claim()
        order = await scene.engine.put_subscription(subscription(scene), revision=None, now_ms=scene.clock())
        await scene.engine.publish(
            [Post(each, (NewMessage(id="x", body=b"1", ttl_s=60),)) for each in (QUEUE, order.backlog, history)],
            now_ms=scene.clock(),
        )
        source = await scene.place()
        await scene.drain(str(source))
        assert await scene.drains(scene.engine).round() == 1
        assert await scene.place() == other(source)
        assert await scene.all() == [*ids, "x"]
        outcome = await scene.engine.settle(QUEUE, claim_id, {held[0]: Ack()}, now_ms=scene.clock(), rest=Release())
        assert len(outcome) == 1
        assert await scene.all() == [*ids[1:], "x"]
        for hidden in (order.backlog, history):
            found = await scene.engine.get_messages(hidden, ["x"], now_ms=scene.clock())
            assert [each.id for each in found] == ["x"]
        assert await scene.engine.due_queues(now_ms=scene.clock(), limit=5, backlogs=True) == (order.backlog,)
        assert await scene.drains(scene.engine).round() == 0

    history = history_of(QUEUE)
    run(story, scene)


def test_a_node_with_an_old_place_goes_on_at_the_new_one(scene: Scene) -> None:
    async def story(scene: Scene) -> None:
        stale = scene.engine
        ids = await scene.post(3)
        source = str(await stale.places.find(QUEUE))
        mover = scene.node()
        mover.members = stale.members  # The engines are open once in this process.
        mover.places = Places(scene.home, scene.clock)
        lease = Lease(scene.home, "mover", "two", scene.clock)
        await Mover(scene.home, mover.places, mover.owners, stale.ask, lease, scene.clock).move(
            QUEUE, source, other(source)
        )
        assert await stale.places.find(QUEUE) == source
        ids += await scene.post(2)
        assert await stale.places.find(QUEUE) == other(source)
        assert await scene.all() == ids

    run(story, scene)


def test_who_listened_is_told_that_something_may_be_missing(scene: Scene) -> None:
    async def story(scene: Scene) -> None:
        await scene.post(3)
        see = scene.engine.browse
        before = await see(QUEUE, after=None, limit=10, view=ALL, now_ms=scene.clock())
        await scene.drain(str(await scene.place()))
        await scene.drains(scene.engine).round()
        place = Position(0, before.messages[-1].sequence)
        after = await see(QUEUE, after=place, limit=10, view=ALL, now_ms=scene.clock())
        assert after.epoch != before.epoch
        assert not after.complete
        assert after.dropped > before.last

    run(story, scene)


def test_two_do_not_move_queues_at_once(scene: Scene) -> None:
    async def story(scene: Scene) -> None:
        await scene.post(1)
        await scene.drain(str(await scene.place()))
        assert await Lease(scene.engine, "mover", "other", scene.clock).keep()
        assert await scene.drains(scene.engine).round() == 0
        scene.clock.advance(60_000)
        assert await scene.drains(scene.engine).round() == 1

    run(story, scene)


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_a_move_that_fails_or_dies_at_any_step_is_brought_to_its_end(*, after: bool, dies: bool) -> None:
    async def steps() -> int:
        scene = in_memory()
        await scene.engine.start()
        await _prepare(scene)
        before = scene.faults.count
        assert await scene.drains(scene.engine).round() == 1
        await scene.engine.close()
        return scene.faults.count - before

    async def dies_at(step: int) -> None:
        scene = in_memory()
        await scene.engine.start()
        posted, settled = await _prepare(scene)
        source = await scene.place()
        scene.faults.reset(step, after=after, dies=dies)
        with contextlib.suppress(StoreUnavailable):
            await scene.drains(scene.engine).round()
        scene.faults.reset()
        await scene.engine.refresh()
        await _use(scene, posted, settled)
        scene.clock.advance(60_000)
        for _ in range(3):
            await scene.drains(scene.engine, "two").round()
        assert await scene.place() == other(source), step
        await _use(scene, posted, settled)
        assert await _drained(scene, settled) == posted, step
        await scene.engine.close()

    total = asyncio.run(steps())
    assert total > 40
    for step in range(1, total + 1):
        asyncio.run(dies_at(step))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["stage", "hold", "open_staged", "swap_record", "give_up", "delete_record"])
def test_a_process_that_dies_in_a_move_leaves_what_another_can_finish(scene: Scene, name: str, *, after: bool) -> None:
    async def story(scene: Scene) -> None:
        posted, settled = await _prepare(scene)
        source = await scene.place()
        scene.faults.reset(name=name, after=after, dies=True)
        with contextlib.suppress(StoreUnavailable):
            await scene.drains(scene.engine).round()
        scene.faults.reset()
        await scene.engine.refresh()
        await _use(scene, posted, settled)
        scene.clock.advance(60_000)
        await scene.drains(scene.engine, "two").round()
        assert await scene.place() == other(source)
        await _use(scene, posted, settled)
        assert await _drained(scene, settled) == posted

    run(story, scene)


def test_a_move_that_fails_while_the_queue_is_held_lets_it_be_written_to_at_once(scene: Scene) -> None:
    async def story(scene: Scene) -> None:
        ids = await scene.post(5)
        source = str(await scene.place())
        await scene.drain(source)
        scene.faults.reset(name="details")
        assert await scene.drains(scene.engine).round() == 0
        ids += await scene.post(1)
        assert await scene.place() == source
        assert await scene.drains(scene.engine).round() == 1
        assert await scene.all() == ids

    run(story, scene)


def test_a_queue_from_before_the_first_pool_moves_with_its_subscriptions(scene: Scene) -> None:
    async def story(scene: Scene) -> None:
        old = QueueKey("project", "old")
        order = replace(subscription(scene), queue=old, id="old-order")
        await scene.home.put_subscription(order, revision=None, now_ms=scene.clock())
        message = NewMessage(id="m", body=b"1", ttl_s=60)
        await scene.home.publish([Post(order.backlog, (message,))], now_ms=scene.clock())
        engine = scene.engine
        lease = Lease(engine, "mover", "one", scene.clock)
        await Mover(engine, engine.places, engine.owners, engine.ask, lease, scene.clock).move(old, HOME, "p1")
        assert await engine.places.find(old) == "p1"
        found = await engine.get_messages(order.backlog, ["m"], now_ms=scene.clock())
        assert [each.id for each in found] == ["m"]
        orders = await engine.list_subscriptions(old, after="", limit=5, now_ms=scene.clock())
        assert [each.id for each in orders] == ["old-order"]

    run(story, scene)


async def _prepare(scene: Scene) -> tuple[list[str], list[str]]:
    posted = await scene.post(30)
    await scene.engine.put_subscription(subscription(scene), revision=None, now_ms=scene.clock())
    claim_id, held = await scene.claim()
    await scene.engine.settle(QUEUE, claim_id, {held[0]: Ack()}, now_ms=scene.clock())
    await scene.drain(str(await scene.place()))
    return posted, [held[0]]


async def _use(scene: Scene, posted: list[str], settled: list[str]) -> None:
    """Post and settle a little, as far as the queue lets."""
    try:
        posted += await scene.post(2)
        claim_id, held = await scene.claim(2)
        assert not set(held) & set(settled), "a message that was settled came again"
        await scene.engine.settle(QUEUE, claim_id, {held[0]: Ack()}, now_ms=scene.clock(), rest=Release())
        settled.append(held[0])
    except QueueMoved as error:
        # Nothing was done; whoever asks again later succeeds.
        assert error.code == "queue_moved"  # noqa: PT017


async def _drained(scene: Scene, settled: list[str]) -> list[str]:
    """Take all that is left, and return everything that was ever settled, in the order of its ids."""
    scene.clock.advance(61_000)
    while True:
        claim_id, held = await scene.claim(10)
        if not held:
            return sorted(settled)
        assert not set(held) & set(settled)
        await scene.engine.settle(QUEUE, claim_id, {}, now_ms=scene.clock(), rest=Ack())
        settled += held


class Users:
    """Those who post to the queue and take from it, and what they know."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.done = False
        self.posted: list[str] = []
        self.settled: list[str] = []
        self.held: set[str] = set()

    async def post(self, name: int) -> None:
        """Post until it is done, again under the same name what was refused."""
        numbers, engine, now_ms = self.scene.numbers, self.scene.engine, self.scene.clock()
        while not self.done:
            once = Once(key=f"{name}-{next(numbers)}", fingerprint=b"f", expires_ms=now_ms + 60_000)
            message = NewMessage(id=f"p{name}-{next(numbers)}", body=b"1", ttl_s=3_600)
            with contextlib.suppress(QueueMoved):
                published = await engine.publish([Post(QUEUE, (message,))], now_ms=now_ms, once=once)
                self.posted += published.ids[0]
            await asyncio.sleep(0)

    async def take(self) -> None:
        """Claim and settle until it is done."""
        while not self.done:
            with contextlib.suppress(QueueMoved):
                claim_id, held = await self.scene.claim(3)
                assert self.held.isdisjoint(held), "two live claims hold a message"
                self.held.update(held)
                await asyncio.sleep(0)
                await _settle(self.scene, claim_id, held)
                self.held.difference_update(held)
                self.settled += held
            await asyncio.sleep(0)


@pytest.mark.parametrize("moves", [2, 3, 4])
def test_nothing_is_lost_or_doubled_while_many_post_and_claim(scene: Scene, moves: int) -> None:
    async def story(scene: Scene) -> None:
        users = Users(scene)
        users.posted += await scene.post(300)
        tasks = [asyncio.create_task(each) for each in (users.post(1), users.post(2), users.take(), users.take())]
        for _ in range(moves):
            source = str(await scene.place())
            await scene.drain(source)
            while await scene.place() == source:
                await scene.drains(scene.engine).round()
            await scene.drain(source, draining=False)
        users.done = True
        await asyncio.gather(*tasks)
        assert len(users.settled) == len(set(users.settled))
        assert len(users.posted) > 310
        assert await _drained(scene, users.settled) == sorted(users.posted)

    run(story, scene)


async def _settle(scene: Scene, claim_id: str, held: list[str]) -> None:
    while True:
        try:
            await scene.engine.settle(QUEUE, claim_id, {}, now_ms=scene.clock(), rest=Ack())
        except QueueMoved:
            await asyncio.sleep(0)
        except ClaimNotFound:
            assert not held, "a live claim was lost"
            return
        else:
            return


def test_a_pool_that_drains_and_is_empty_is_rarely_looked_at() -> None:
    async def story(scene: Scene) -> None:
        for number in range(50):
            await scene.engine.put_queue(QueueKey("p", f"q{number}"), {}, revision=None, now_ms=scene.clock())
        await scene.drain("p1")
        drains = scene.drains(scene.engine)
        assert await drains.round() > 0
        before = scene.faults.count
        assert await drains.round() == 0
        looking = scene.faults.count - before
        assert looking < 10
        assert await drains.round() == 0
        assert scene.faults.count - before - looking < looking
        late = NewMessage(id="late", body=b"1", ttl_s=60)
        await scene.drain("p1", draining=False)
        await scene.drain("p2")
        assert await drains.round() > 0
        await scene.engine.publish([Post(QueueKey("p", "new"), (late,))], now_ms=scene.clock())
        await scene.drain("p2", draining=False)
        await scene.drain("p1")
        assert await drains.round() > 0

    run(story, in_memory())


def test_two_rounds_of_one_node_do_not_get_in_each_others_way(scene: Scene) -> None:
    async def story(scene: Scene) -> None:
        ids = await scene.post(5)
        await scene.drain(str(await scene.place()))
        drains = scene.drains(scene.engine)
        assert sorted(await asyncio.gather(drains.round(), drains.round())) == [0, 1]
        assert await scene.all() == ids

    run(story, scene)


def test_an_empty_pool_that_drains_gives_what_somebody_was_about_to_make_there() -> None:
    async def story(scene: Scene) -> None:
        await scene.drain("p1")
        drains = scene.drains(scene.engine)
        assert await drains.round() == 0
        member = scene.engine.members.by_name()["p1"]
        member.pool = replace(member.pool, draining=False)  # As another node knows it that has not looked yet.
        for number in range(9):
            await scene.engine.put_queue(QueueKey("p", f"q{number}"), {}, revision=None, now_ms=scene.clock())
        await scene.engine.refresh()
        assert await drains.round() == 0
        scene.clock.advance(30_000)
        assert await drains.round() > 0

    run(story, in_memory())


def test_a_target_that_is_down_leaves_the_queue_where_it_is(scene: Scene) -> None:
    async def story(scene: Scene) -> None:
        ids = await scene.post(5)
        source = str(await scene.place())
        await scene.drain(source)
        target = scene.engine.members.by_name()[other(source)]
        target.down = True
        assert await scene.drains(scene.engine).round() == 0
        assert await scene.all() == ids
        target.down = False
        assert await scene.drains(scene.engine).round() == 1
        assert await scene.all() == ids

    run(story, scene)

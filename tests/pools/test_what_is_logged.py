"""A move that is tried again and again says once why it does not come to its end."""

import msgspec
import pytest

from sukkal import limits
from sukkal.model import NewMessage, Post, QueueKey
from sukkal.pools.begun import note_move
from sukkal.pools.definitions import Flavor, flavor_key
from tests.pools.scene import QUEUE, Scene, in_memory, other, run


def test_a_queue_in_the_way_is_logged_once_for_each_cause(caplog: pytest.LogCaptureFixture) -> None:
    async def story(scene: Scene) -> None:
        await scene.post(5)
        source = str(await scene.place())
        target = scene.engine.members.by_name()[other(source)]
        drains = scene.drains(scene.engine)
        stray = NewMessage(id="stray", body=b"1", ttl_s=60)
        await target.ask("publish", [Post(QUEUE, (stray,))], now_ms=scene.clock())
        await scene.drain(source)

        async def said_in(rounds: int) -> list[str]:
            caplog.clear()
            for _ in range(rounds):
                scene.clock.advance(1_000)
                assert await drains.round() == 0
            return [each for each in caplog.messages if "did not move" in each]

        assert ["a queue of this name" in each for each in await said_in(5)] == [True]
        target.down = True
        said = await said_in(5)
        assert len(said) == len(set(said)) == 2
        assert "does not answer" in said[0]
        target.down = False
        assert ["a queue of this name" in each for each in await said_in(5)] == [True]
        assert await said_in(5) == []

        await target.ask("delete_queue", QUEUE)
        assert await drains.round() == 1
        await scene.drain(source, draining=False)
        await scene.drain(other(source))
        target = scene.engine.members.by_name()[source]
        await target.ask("admit", (QUEUE,), above=0)
        await target.ask("publish", [Post(QUEUE, (stray,))], now_ms=scene.clock())
        assert len(await said_in(5)) == 1, "that it was so before the last move does not matter"

    run(story, in_memory())


def test_so_many_queues_in_the_way_that_they_take_turns_are_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    keys = [QueueKey("p", f"q{number}") for number in range(2 * limits.PAGE_MAX + 1)]
    posts = [Post(key, (NewMessage(id="stray", body=b"1", ttl_s=60),)) for key in keys]

    async def story(scene: Scene) -> None:
        now_ms, members = scene.clock(), scene.engine.members.by_name()
        for key, post in zip(keys, posts, strict=True):
            await scene.engine.publish([post], now_ms=now_ms)
            source = str(await scene.engine.places.find(key))
            await members[other(source)].ask("publish", [post], now_ms=now_ms)
            await note_move(scene.engine, key, source, other(source), now_ms=now_ms)
        drains = scene.drains(scene.engine)
        for _ in range(9):
            assert await drains.round() == 0
        assert len([each for each in caplog.messages if "did not move" in each]) == len(keys)

    run(story, in_memory())


def test_a_queue_whose_flavor_has_no_other_pool_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def story(scene: Scene) -> None:
        flavor = msgspec.json.encode(Flavor(pools=("p1",)))
        await scene.engine.put_record(flavor_key("fast"), flavor, now_ms=scene.clock())
        await scene.engine.put_queue(QUEUE, {"_flavor": "fast"}, revision=None, now_ms=scene.clock())
        await scene.drain("p1")
        drains = scene.drains(scene.engine)
        for _ in range(3):
            assert await drains.round() == 0
        said = [each for each in caplog.messages if "did not move" in each]
        assert ["No other pool of its flavor fast takes queues" in each for each in said] == [True]
        assert await scene.place() == "p1"

    run(story, in_memory())

"""Each queue is in one place, however many nodes there are and whatever they remember."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import msgspec
import pytest

from sukkal.engines.memory import MemoryEngine
from sukkal.errors import InvalidRequest, StoreUnavailable
from sukkal.model import NewMessage, Post, QueueKey, Subscription
from sukkal.pools import Flavor, Pool
from sukkal.pools.definitions import HOME, flavor_key, pool_key
from sukkal.pools.members import MovableEngine
from sukkal.testing import FakeClock
from tests.pools.faulty import Faults, faulty
from tests.pools.pooled import Pools

QUEUE = QueueKey("p", "q")
HOUR_MS = 3_600_000
SETTLE_MS = 30_000


class Nodes:
    """Several nodes at the same store and pools."""

    def __init__(self, pools: int = 3) -> None:
        self.clock = FakeClock()
        self.home = MemoryEngine()
        self.uris = [f"memory://{number}" for number in range(pools)]
        self.engines: dict[str, MovableEngine] = {uri: MemoryEngine() for uri in self.uris}
        self.faults = Faults()
        self.seeds = iter(range(100))

    async def node(self) -> Pools:
        """Return another node."""
        node = Pools(
            faulty(self.home, self.faults),
            self.uris,
            now_ms=self.clock,
            draw=Random(next(self.seeds)).random,
            make_engine=lambda uri: faulty(self.engines[uri], self.faults),
        )
        await node.start()
        return node

    async def post(self, node: Pools, id_: str = "m", key: QueueKey = QUEUE) -> None:
        """Post a message."""
        message = NewMessage(id=id_, body=b"1", ttl_s=100_000)
        await node.publish([Post(key, (message,))], now_ms=self.clock())

    async def holders(self, key: QueueKey = QUEUE) -> list[str]:
        """Return the engines that have the queue."""
        engines = {HOME: self.home, **self.engines}
        return [uri for uri, engine in engines.items() if await engine.get_queue(key) is not None]


def run(story: Callable[[Nodes], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story(Nodes()))


@pytest.mark.parametrize("number", range(10))
def test_nodes_that_create_a_queue_at_once_agree_on_one_place(number: int) -> None:
    async def story(nodes: Nodes) -> None:
        some = [await nodes.node() for _ in range(4)]
        key = QueueKey("p", f"q{number}")
        await asyncio.gather(*(nodes.post(node, f"m{at}", key) for at, node in enumerate(some)))
        assert len(await nodes.holders(key)) == 1
        for node in some:
            assert (await node.stats(key, now_ms=nodes.clock())).total == 4

    run(story)


def test_a_queue_that_was_deleted_is_made_again_where_others_still_look_for_it() -> None:
    async def story(nodes: Nodes) -> None:
        stale, deleting, making = [await nodes.node() for _ in range(3)]
        for round_ in range(10):
            await nodes.post(stale, f"a{round_}")
            await deleting.delete_queue(QUEUE)
            nodes.clock.advance(1_000)
            await nodes.post(making, f"b{round_}")
            await nodes.post(stale, f"c{round_}")
            assert len(await nodes.holders()) == 1
            assert (await deleting.stats(QUEUE, now_ms=nodes.clock())).total == 2
            await making.delete_queue(QUEUE)

    run(story)


def test_the_place_of_a_deleted_queue_goes_after_an_hour_unless_the_queue_is_there() -> None:
    async def story(nodes: Nodes) -> None:
        node, stale = await nodes.node(), await nodes.node()
        await nodes.post(node)
        await nodes.post(stale)
        await node.delete_queue(QUEUE)
        await nodes.post(stale, "again")
        for name in ("x", "y"):
            await nodes.post(node, key=QUEUE._replace(name=name))
        await node.delete_queue(QUEUE._replace(name="x"))
        nodes.clock.advance(HOUR_MS - 1)
        assert await node.tidy(limit=10) == 0
        nodes.clock.advance(1)
        assert await node.tidy(limit=10) == 2
        assert await node.tidy(limit=10) == 0
        kept = [key.name for pool in ("p1", "p2", "p3") async for key in node.places.of_pool(pool)]
        assert sorted(kept) == ["q", "y"]
        assert await node.get_queue(QUEUE) is not None

    run(story)


def test_places_go_in_time_however_many_that_are_too_young_stand_in_front() -> None:
    async def story(nodes: Nodes) -> None:
        node = await nodes.node()
        await nodes.post(node, key=QueueKey("z", "old"))
        await node.delete_queue(QueueKey("z", "old"))
        nodes.clock.advance(HOUR_MS)
        for number in range(25):
            key = QueueKey("a", f"q{number:02}")
            await nodes.post(node, key=key)
            await node.delete_queue(key)
        assert [await node.tidy(limit=10) for _ in range(3)] == [0, 0, 1]
        nodes.clock.advance(HOUR_MS)
        assert [await node.tidy(limit=10) for _ in range(4)] == [10, 10, 5, 0]

    run(story)


def test_a_place_does_not_follow_a_move_that_comes_after_later_ones() -> None:
    async def story(nodes: Nodes) -> None:
        places = (await nodes.node()).places
        key = QueueKey("p", "moved")
        await places.move(key, HOME, "p1", token=1)
        await places.move(key, "p1", "p2", token=2)
        await places.move(key, "p2", HOME, token=3)
        with pytest.raises(StoreUnavailable):
            await places.move(key, HOME, "p1", token=1)
        assert await places.find(key) == HOME
        await places.leave(key, HOME)
        await places.move(key, HOME, "p1", token=4)
        assert await places.find(key) == "p1"

    run(story)


def test_a_node_that_stood_still_while_the_first_pool_was_made_puts_queues_where_the_others_do() -> None:
    async def story() -> None:
        clock, home, pool = FakeClock(), MemoryEngine(), MemoryEngine()
        busy, still = [
            Pools(home, [], now_ms=clock, make_engine=lambda uri: pool, settle_ms=SETTLE_MS) for _ in range(2)
        ]
        for node in (busy, still):
            await node.start()
        made = Pool(uri="memory://", weight=1)
        await home.put_record(pool_key("p1"), msgspec.json.encode(made), now_ms=clock())
        await busy.refresh()
        clock.advance(SETTLE_MS)
        await busy.publish([Post(QUEUE, (NewMessage(id="a", body=b"1", ttl_s=60),))], now_ms=clock())
        await still.publish([Post(QUEUE, (NewMessage(id="b", body=b"1", ttl_s=60),))], now_ms=clock())
        for node in (busy, still):
            found = await node.get_messages(QUEUE, ["a", "b"], now_ms=clock())
            assert [each.id for each in found] == ["a", "b"]
        assert await home.get_queue(QUEUE) is None

    asyncio.run(story())


def test_a_node_that_does_not_know_of_pools_and_cannot_ask_makes_no_queue() -> None:
    async def story() -> None:
        clock, faults = FakeClock(), Faults()
        node = Pools(faulty(MemoryEngine(), faults), [], now_ms=clock, settle_ms=SETTLE_MS)
        await node.start()
        message = NewMessage(id="a", body=b"1", ttl_s=60)
        clock.advance(SETTLE_MS // 2)
        faults.reset(name="list_records")
        with pytest.raises(StoreUnavailable):
            await node.publish([Post(QUEUE, (message,))], now_ms=clock())
        assert await node.get_queue(QUEUE) is None
        await node.publish([Post(QUEUE, (message,))], now_ms=clock())
        before = faults.count
        await node.publish([Post(QUEUE, (message,))], now_ms=clock())
        assert faults.count == before + 1

    asyncio.run(story())


def test_queues_are_spread_in_proportion_to_weights() -> None:
    async def story(nodes: Nodes) -> None:
        node = await nodes.node()
        for name, weight in (("p1", 0), ("p2", 1), ("p3", 3)):
            pool = Pool(uri=node.members.by_name()[name].pool.uri, weight=weight)
            await node.put_record(pool_key(name), msgspec.json.encode(pool), now_ms=0)
        await node.refresh()
        found = Counter([await node.choice.choose(None) for _ in range(2_000)])
        assert found["p1"] == 0
        assert 400 < found["p2"] < 600
        assert found["p3"] == 2_000 - found["p2"]

    run(story)


def test_a_flavor_chooses_among_its_pools() -> None:
    async def story(nodes: Nodes) -> None:
        node = await nodes.node()
        await node.put_record(flavor_key("f"), msgspec.json.encode(Flavor(pools=("p1", "p3"))), now_ms=0)
        found = Counter([await node.choice.choose("f") for _ in range(100)])
        assert set(found) == {"p1", "p3"}
        with pytest.raises(InvalidRequest, match="Flavor g does not exist"):
            await node.put_queue(QUEUE, {"_flavor": "g"}, revision=None, now_ms=nodes.clock())
        for name in ("p1", "p3"):
            node.members.by_name()[name].down = True
        with pytest.raises(StoreUnavailable):
            await node.put_queue(QUEUE, {"_flavor": "f"}, revision=None, now_ms=nodes.clock())
        assert await nodes.holders() == []

    run(story)


def test_a_pool_takes_queues_when_all_nodes_can_know_it() -> None:
    async def story(nodes: Nodes) -> None:
        node = await nodes.node()
        node.choice._settle_ms = 30_000
        for name in ("p1", "p2", "p3"):
            uri = node.members.by_name()[name].pool.uri
            await node.delete_record(pool_key(name), now_ms=0)
            pool = msgspec.json.encode(Pool(uri=uri, weight=1))
            await node.put_record(pool_key(name), pool, now_ms=nodes.clock())
        await node.refresh()
        await nodes.post(node)
        assert await nodes.holders() == [HOME]
        nodes.clock.advance(30_000)
        other = QUEUE._replace(name="other")
        await nodes.post(node, key=other)
        assert await nodes.holders(other) != [HOME]
        await nodes.post(node, "second")
        assert await nodes.holders() == [HOME]

    run(story)


def test_what_the_search_index_gets_waits_in_the_store() -> None:
    async def story(nodes: Nodes) -> None:
        node = await nodes.node()
        order = Subscription(
            id="search",
            queue=QueueKey("p", "search", "index"),
            subscriber="search:",
            ttl_s=60,
            options={},
            confirmed=True,
            created_ms=nodes.clock(),
            expires_ms=nodes.clock() + 60_000,
        )
        await node.put_subscription(order, revision=None, now_ms=nodes.clock())
        message = NewMessage(id="m", body=b"1", ttl_s=60)
        published = await node.publish(
            [Post(QUEUE, (message,)), Post(order.backlog, (message,)), Post(QUEUE, (message,))], now_ms=nodes.clock()
        )
        assert [len(each) for each in published.sequences] == [1, 1, 1]
        assert await nodes.holders(order.backlog) == [HOME]
        assert await nodes.holders() != [HOME]
        assert await node.due_queues(now_ms=nodes.clock(), limit=5, backlogs=True) == (order.backlog,)

    run(story)

"""Nodes and primaries are killed again and again under load, standbys take over, and every promise is kept."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import cycle
from random import Random
from typing import Any, Final

import msgspec
import pytest

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.pools import Flavor, Pool
from sukkal.pools.definitions import flavor_key, pool_key
from tests.faults.checker import check
from tests.faults.exchange import Connection
from tests.faults.history import Kind
from tests.faults.listening import Watched
from tests.faults.listening_checker import check_listening
from tests.faults.load import QUEUES, view
from tests.faults.test_kill import drain
from tests.nodes.asking import ask
from tests.nodes.cluster import DATABASES, Cluster
from tests.nodes.load import Audience, Nodes, Workers
from tests.serving import ServerProcess

ROUNDS: Final = 10
NODES: Final = 3
SEED: Final = 20_260_707
ANSWERS: Final = 400
HEAL_S_MAX: Final = 30
FLAGS: Final = ("--max-messages-per-page", "1000", "--log-level", "warning", "--store-timeout-s", "3")


def start(cluster: Cluster) -> ServerProcess:
    return ServerProcess(cluster.store(), *FLAGS)


async def healed(server: ServerProcess, clusters: Sequence[Cluster] = ()) -> None:
    """Wait until a node has taken a post to each pool."""
    ends_s = time.monotonic() + HEAL_S_MAX
    for name in pools_of(clusters) or ("store",):
        await takes_a_post(server, f"healed-{name}", ends_s)


async def takes_a_post(server: ServerProcess, queue: str, ends_s: float) -> None:
    """Wait until a node has taken a post to a queue."""
    while True:
        connection = await Connection.open(server.host, server.port)
        answer = await connection.ask("POST", f"/v2/queues/{queue}/messages", {"messages": [{"body": 1}]})
        await connection.close()
        if answer.status == 201:
            return
        assert answer.status == 503, answer
        assert time.monotonic() < ends_s, "the node has not healed"
        await asyncio.sleep(0.05)


async def fail(clusters: Sequence[Cluster], nodes: Nodes, random: Random) -> None:
    """Kill a node and a primary under load, in either order, and bring back as much."""
    await nodes.answered(ANSWERS)
    cluster = random.choice(clusters)
    victim = random.randrange(NODES)
    kills = [nodes.servers[victim].kill, cluster.primary.kill]
    random.shuffle(kills)
    for kill in kills:
        await asyncio.to_thread(kill)
        await asyncio.sleep(random.random() * 0.3)
    await asyncio.to_thread(cluster.fail_over)
    nodes.servers[victim].close()
    nodes.servers[victim] = await asyncio.to_thread(start, clusters[0])
    await asyncio.to_thread(cluster.follow)
    for server in nodes.servers:
        await healed(server, clusters)
    nodes.stopping.set()


async def run(clusters: Sequence[Cluster], workers: Workers, audience: Audience, random: Random) -> Nodes:
    await make_pools(clusters)
    nodes = Nodes([await asyncio.to_thread(start, clusters[0]) for _ in range(NODES)])
    try:
        await prepare(nodes.servers, clusters, audience)
        for _ in range(ROUNDS):
            nodes.stopping.clear()
            async with asyncio.TaskGroup() as group:
                group.create_task(workers.work_at(nodes))
                group.create_task(audience.work_at(nodes))
                group.create_task(fail(clusters, nodes, random))
            workers.history += [await view(random.choice(nodes.servers), queue) for queue in QUEUES]
        await drain(nodes.servers[0], workers)
        workers.history += [await view(nodes.servers[1], queue) for queue in QUEUES]
        async with asyncio.timeout(60):
            await audience.finish(nodes.servers[2])
        for name in pools_of(clusters):
            pool = await ask(nodes.servers[0], "GET", f"/v2/pools/{name}?detailed=true", roles="admin")
            assert pool.document["queues"] > len(QUEUES) // 2, pool
        for server in nodes.servers:
            assert server.stop() == 0
            assert "Traceback" not in server.stderr, server.stderr
    finally:
        for server in nodes.servers:
            server.close()
    return nodes


def pools_of(clusters: Sequence[Cluster]) -> dict[str, str]:
    """Return the pools that are to be, if there is more than one cluster: one beside the store, one in each other."""
    if len(clusters) < 2:
        return {}
    others = {f"pool{number}": each.store() for number, each in enumerate(clusters[1:])}
    return {"beside": clusters[0].store(DATABASES[1])} | others


async def make_pools(clusters: Sequence[Cluster]) -> None:
    """Make pools that take queues at once, as if they had been there for long, and for each a flavor of its name."""
    store = PostgresqlEngine(clusters[0].store())
    await store.start()
    for name, uri in pools_of(clusters).items():
        pool, flavor = Pool(uri=uri, weight=100), Flavor(pools=(name,))
        await store.put_record(pool_key(name), msgspec.json.encode(pool), now_ms=0)
        await store.put_record(flavor_key(name), msgspec.json.encode(flavor), now_ms=0)
    await store.close()


async def prepare(servers: Sequence[ServerProcess], clusters: Sequence[Cluster], audience: Audience) -> None:
    """Make all queues, by turns in each pool."""
    wanted: dict[str, dict[str, Any]] = {queue: {} for queue in QUEUES}
    wanted |= {log.queue: {"_history": 3_600 * log.history} for log in audience.logs}
    flavors = [{"_flavor": name} for name in pools_of(clusters)] or [{}]
    for (queue, metadata), flavor in zip(wanted.items(), cycle(flavors), strict=False):
        made = await ask(servers[0], "PUT", f"/v2/queues/{queue}", metadata | flavor)
        assert made.status == 201, made
    for name in pools_of(clusters):
        made = await ask(servers[0], "PUT", f"/v2/queues/healed-{name}", {"_flavor": name})
        assert made.status == 201, made
    for server in servers:
        await healed(server, clusters)


@pytest.mark.parametrize("count", [1, 2], ids=["one store", "two pools"])
def test_nothing_acknowledged_is_lost_when_nodes_and_primaries_are_killed(count: int) -> None:
    random = Random(SEED)
    kept, short = Watched("kept", history=True), Watched("short", history=False)
    workers = Workers(SEED, connections=6)
    audience = Audience([kept, short], seed=SEED, busy=3, each=2)
    with ExitStack() as stack:
        clusters = [stack.enter_context(Cluster()) for _ in range(count)]
        nodes = asyncio.run(run(clusters, workers, audience, random))
    assert workers.strange == []
    assert audience.strange == []
    assert check(workers.history) == []
    assert check_listening(kept) == []
    assert check_listening(short) == []
    # The load was what it is meant to be: much was done, and cut off by kills.
    assert nodes.unavailable > ROUNDS
    done = [event for event in workers.history if event.done]
    assert sum(event.kind is Kind.POST for event in done) > ROUNDS * 20
    assert audience.cut_off > ROUNDS

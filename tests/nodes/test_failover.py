"""Nodes and primaries are killed again and again under load, standbys take over, and every promise is kept."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from random import Random
from typing import Final

import msgspec
import pytest

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.pools import Flavor, Pool
from sukkal.pools.definitions import flavor_key, pool_key
from tests.faults.history import Kind
from tests.nodes.asking import ask, healed
from tests.nodes.cluster import DATABASES, Cluster
from tests.nodes.load import Nodes
from tests.nodes.trial import Trial
from tests.serving import ServerProcess

ROUNDS: Final = 10
NODES: Final = 3
SEED: Final = 20_260_707
ANSWERS: Final = 400
FLAGS: Final = ("--max-messages-per-page", "1000", "--log-level", "warning", "--store-timeout-s", "3")


def start(cluster: Cluster) -> ServerProcess:
    return ServerProcess(cluster.store(), *FLAGS)


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
        await healed(server, *healed_queues(clusters))


async def run(clusters: Sequence[Cluster], trial: Trial, random: Random) -> Nodes:
    await make_pools(clusters)
    nodes = Nodes([await asyncio.to_thread(start, clusters[0]) for _ in range(NODES)])
    try:
        await prepare(nodes.servers, clusters, trial)
        for _ in range(ROUNDS):
            await trial.during(nodes, partial(fail, clusters, nodes, random))
        for name in pools_of(clusters):
            pool = await ask(nodes.servers[0], "GET", f"/v2/pools/{name}?detailed=true", roles="admin")
            assert pool.document["queues"] > len(trial.wanted()) // 3, pool
        await trial.finish(nodes)
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


def healed_queues(clusters: Sequence[Cluster]) -> list[str]:
    """Return a queue in each pool, to see whether it takes posts."""
    return [f"healed-{name}" for name in pools_of(clusters) or ("store",)]


async def prepare(servers: Sequence[ServerProcess], clusters: Sequence[Cluster], trial: Trial) -> None:
    """Make all queues, by turns in each pool."""
    flavors = [{"_flavor": name} for name in pools_of(clusters)]
    await trial.make_queues(servers[0], *flavors)
    for queue, flavor in zip(healed_queues(clusters), flavors, strict=False):
        made = await ask(servers[0], "PUT", f"/v2/queues/{queue}", flavor)
        assert made.status == 201, made
    for server in servers:
        await healed(server, *healed_queues(clusters))


@pytest.mark.parametrize("count", [1, 2], ids=["one store", "two pools"])
def test_nothing_acknowledged_is_lost_when_nodes_and_primaries_are_killed(count: int) -> None:
    random = Random(SEED)
    trial = Trial(SEED, connections=6, busy=3, each=2)
    with ExitStack() as stack:
        clusters = [stack.enter_context(Cluster()) for _ in range(count)]
        nodes = asyncio.run(run(clusters, trial, random))
    trial.check()
    # The load was what it is meant to be: much was done, and cut off by kills.
    assert nodes.unavailable > ROUNDS
    assert trial.done(Kind.POST) > ROUNDS * 20
    assert trial.audience.cut_off > ROUNDS

"""Nodes are replaced one by one by nodes of another version, under load and at the same database."""

import asyncio
import shutil
from pathlib import Path
from random import Random
from typing import Final

import pytest

from sukkal.engines.postgresql.statements import SCHEMA
from tests.engines.postgresql_server import PostgreSQL
from tests.faults.checker import check
from tests.faults.history import Kind
from tests.faults.listening import Watched
from tests.faults.listening_checker import check_listening
from tests.faults.load import QUEUES, view
from tests.faults.test_kill import drain
from tests.nodes.asking import ask
from tests.nodes.load import Audience, Nodes, Workers
from tests.nodes.test_failover import healed
from tests.serving import ROOT, FailedToStart, ServerProcess

SEED: Final = 20_261_123
NODES: Final = 2
ANSWERS: Final = 200
FLAGS: Final = ("--max-messages-per-page", "1000", "--log-level", "warning")
ENGINE: Final = Path("sukkal/engines/postgresql")
VERSION: Final = len(SCHEMA.migrations) + 1

# What a later version may add while nodes that know nothing of it go on.
MIGRATION: Final = """
ALTER TABLE messages ADD COLUMN weight integer NOT NULL DEFAULT 0;
CREATE INDEX messages_weight ON messages (queue, weight);
"""
FUNCTION: Final = """
CREATE FUNCTION weight_of(its_queue bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(weight), 0)::bigint FROM messages WHERE queue = its_queue
$$;
"""
# Whose functions were called, of the versions that each have their own.
VERSIONS_CALLED: Final = """
SELECT count(DISTINCT schemaname) FROM pg_stat_user_functions WHERE schemaname LIKE 'sukkal\\_%' AND calls > 0
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Return the sources of a version that has one migration more than this one, and other functions."""
    sources = tmp_path / "newer"
    shutil.copytree(ROOT / "src", sources)
    (sources / ENGINE / "migrations" / f"{VERSION:04}_weights.sql").write_text(MIGRATION, encoding="utf-8")
    (sources / ENGINE / "functions" / "weights.sql").write_text(FUNCTION, encoding="utf-8")
    return sources


def start(store: str, sources: Path) -> ServerProcess:
    return ServerProcess(store, *FLAGS, env={"PYTHONPATH": str(sources)})


async def replace(nodes: Nodes, store: str, sources: Path) -> None:
    """Stop one node after the other under load, and start another in its place."""
    for number, node in enumerate(nodes.servers):
        await nodes.answered(ANSWERS)
        assert await asyncio.to_thread(node.stop) == 0
        assert "Traceback" not in node.stderr, node.stderr
        node.close()
        nodes.servers[number] = await asyncio.to_thread(start, store, sources)
        await healed(nodes.servers[number])
    await nodes.answered(ANSWERS)
    nodes.stopping.set()


async def run(store: str, newer: Path, workers: Workers, audience: Audience) -> Nodes:
    """Upgrade all nodes, and then go back."""
    nodes = Nodes([await asyncio.to_thread(start, store, ROOT / "src") for _ in range(NODES)])
    random = Random(SEED)
    try:
        for log in audience.logs:
            made = await ask(nodes.servers[0], "PUT", f"/v2/queues/{log.queue}", {"_history": 3_600 * log.history})
            assert made.status == 201
        for sources in (newer, ROOT / "src"):
            nodes.stopping.clear()
            async with asyncio.timeout(120), asyncio.TaskGroup() as group:
                group.create_task(workers.work_at(nodes))
                group.create_task(audience.work_at(nodes))
                group.create_task(replace(nodes, store, sources))
            workers.history += [await view(random.choice(nodes.servers), queue) for queue in QUEUES]
        await drain(nodes.servers[0], workers)
        workers.history += [await view(nodes.servers[1], queue) for queue in QUEUES]
        async with asyncio.timeout(60):
            await audience.finish(nodes.servers[0])
        for node in nodes.servers:
            assert node.stop() == 0
            assert "Traceback" not in node.stderr, node.stderr
    finally:
        for node in nodes.servers:
            node.close()
    return nodes


def test_nodes_are_upgraded_one_by_one_and_back_again_and_nothing_is_lost(newer: Path) -> None:
    kept, short = Watched("kept", history=True), Watched("short", history=False)
    workers = Workers(SEED, connections=4)
    audience = Audience([kept, short], seed=SEED, busy=2, each=1)
    with PostgreSQL(settings={"track_functions": "all"}) as server:
        store = server.new_database()
        nodes = asyncio.run(run(store, newer, workers, audience))
        assert asyncio.run(server.fetch_number(store, "SELECT max(version) FROM sukkal.versions")) == VERSION
        assert asyncio.run(server.fetch_number(store, VERSIONS_CALLED)) == 2
    assert workers.strange == []
    assert audience.strange == []
    assert check(workers.history) == []
    assert check_listening(kept) == []
    assert check_listening(short) == []
    # Nobody was told that the store is not there, and who listened came back.
    assert nodes.unavailable == 0
    assert sum(event.done and event.kind is Kind.POST for event in workers.history) > ANSWERS
    assert all(len(each.sessions) > 2 * NODES for log in audience.logs for each in log.listeners)


def test_a_node_that_knows_too_little_refuses_to_start_and_those_that_run_go_on(store: str, newer: Path) -> None:
    schema = newer / ENGINE / "statements.py"
    given, wanted = 'Schema("sukkal", __package__', f'Schema("sukkal", __package__, works_with={VERSION}'
    text = schema.read_text(encoding="utf-8")
    assert given in text
    schema.write_text(text.replace(given, wanted), encoding="utf-8")

    async def serves(node: ServerProcess) -> None:
        await healed(node)
        claimed = await ask(node, "POST", "/v2/queues/healed-store/claims", {"ttl": 300, "grace": 60})
        assert claimed.status == 201, claimed

    with start(store, ROOT / "src") as old, start(store, newer) as new:
        with pytest.raises(FailedToStart) as failure:
            start(store, ROOT / "src")
        assert failure.value.code == 1
        said = failure.value.stderr
        assert said.startswith("sukkal: ")
        for part in (
            f"schema version {VERSION}",
            f"knows up to {VERSION - 1}",
            "Run a newer one",
            "Nothing was changed",
        ):
            assert part in said
        assert "Traceback" not in said
        for node in (old, new):
            asyncio.run(serves(node))
            assert node.stop() == 0

"""Nodes are replaced one by one by nodes of another version, under load and at the same database."""

import asyncio
import shutil
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from sukkal.engines.postgresql.statements import SCHEMA
from tests.engines.postgresql_server import PostgreSQL
from tests.faults.history import Kind
from tests.nodes.asking import ask, healed
from tests.nodes.load import Nodes
from tests.nodes.trial import Trial
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


async def run(store: str, newer: Path, trial: Trial) -> Nodes:
    """Upgrade all nodes, and then go back."""
    nodes = Nodes([await asyncio.to_thread(start, store, ROOT / "src") for _ in range(NODES)])
    try:
        await trial.make_queues(nodes.servers[0])
        for sources in (newer, ROOT / "src"):
            async with asyncio.timeout(120):
                await trial.during(nodes, partial(replace, nodes, store, sources))
        await trial.finish(nodes)
    finally:
        for node in nodes.servers:
            node.close()
    return nodes


def test_nodes_are_upgraded_one_by_one_and_back_again_and_nothing_is_lost(newer: Path) -> None:
    trial = Trial(SEED, connections=4, busy=2, each=1)
    with PostgreSQL(settings={"track_functions": "all"}) as server:
        store = server.new_database()
        nodes = asyncio.run(run(store, newer, trial))
        assert asyncio.run(server.fetch_number(store, "SELECT max(version) FROM sukkal.versions")) == VERSION
        assert asyncio.run(server.fetch_number(store, VERSIONS_CALLED)) == 2
    trial.check()
    # Nobody was told that the store is not there, and who listened came back.
    assert nodes.unavailable == 0
    assert trial.done(Kind.POST) > ANSWERS
    assert all(len(each.sessions) > 2 * NODES for log in trial.audience.logs for each in log.listeners)


def test_a_node_that_knows_too_little_refuses_to_start_and_those_that_run_go_on(store: str, newer: Path) -> None:
    schema = newer / ENGINE / "statements.py"
    given, wanted = 'Schema("sukkal", __package__', f'Schema("sukkal", __package__, works_with={VERSION}'
    text = schema.read_text(encoding="utf-8")
    assert given in text
    schema.write_text(text.replace(given, wanted), encoding="utf-8")

    async def serves(node: ServerProcess) -> None:
        await healed(node)
        claimed = await ask(node, "POST", "/v2/queues/healed/claims", {"ttl": 300, "grace": 60})
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

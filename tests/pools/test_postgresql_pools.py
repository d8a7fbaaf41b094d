"""Pools that are databases of PostgreSQL servers, of which one may be stopped."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from sukkal.app.engines import pools_service
from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.errors import InvalidRequest, StoreUnavailable
from sukkal.model import NewMessage, Post, QueueKey
from sukkal.settings import Settings
from sukkal.testing import counting_ids
from tests.engines.postgresql_server import PASSWORD, PostgreSQL
from tests.pools.pooled import Pools

NAMES = [f"q{number}" for number in range(12)]


@pytest.fixture
def other() -> Iterator[PostgreSQL]:
    """Return a server of the test's own, which may be stopped."""
    with PostgreSQL() as server:
        yield server


async def post(engine: Pools, name: str, id_: str) -> None:
    message = NewMessage(id=id_, body=b"1", ttl_s=60)
    await engine.publish([Post(QueueKey("p", name), (message,))], now_ms=1)


def test_a_pool_whose_server_is_stopped_hurts_only_its_queues(three_databases: list[str], other: PostgreSQL) -> None:
    async def story() -> None:
        engine = Pools(PostgresqlEngine(home), [first, second])
        await engine.start()
        for name in NAMES:
            await post(engine, name, "a")
        pools = {pool: [key.name async for key in engine.places.of_pool(pool)] for pool in ("p1", "p2")}
        assert all(pools.values())
        await asyncio.to_thread(other.kill)
        for name in pools["p2"]:
            with pytest.raises(StoreUnavailable):
                await post(engine, name, "b")
        assert [member.down for member in engine.members] == [False, True]
        for name in (*pools["p1"], *(f"new{number}" for number in range(5))):
            await post(engine, name, "b")
        listed = await engine.list_queues("p", "queue", after="", limit=100)
        assert {queue.key.name for queue in listed.queues} > set(NAMES)
        await asyncio.to_thread(other.start)
        await engine.refresh()
        assert [member.down for member in engine.members] == [False, False]
        for name in pools["p2"]:
            await post(engine, name, "c")
            found = await engine.get_messages(QueueKey("p", name), ["a", "b", "c"], now_ms=1)
            assert [each.id for each in found] == ["a", "c"]
        await engine.close()

    (home, first, _), second = three_databases, other.new_store()
    asyncio.run(story())


def test_a_pool_that_could_not_do_one_call_is_not_down(three_databases: list[str]) -> None:
    async def story() -> None:
        home, *pools = three_databases
        engine = Pools(PostgresqlEngine(home), pools)
        await engine.start()
        for name in NAMES:
            with pytest.raises(StoreUnavailable):
                await post(engine, name, "no text \0")
        assert not any(member.down for member in engine.members)
        await engine.close()

    asyncio.run(story())


def test_a_database_is_taken_whatever_user_it_is_named_with(three_databases: list[str]) -> None:
    async def story() -> None:
        engine = Pools(PostgresqlEngine(home), [])
        await engine.start()
        service = pools_service(Settings(store=home), engine, lambda: 1, counting_ids())
        await service.put("p1", {"uri": first, "weight": 1})
        for url in (home, first):
            place = url.rpartition("@")[2]
            for other in (f"{place}?sslmode=prefer", f"somebody@{place}", f"u:p@h,{place}"):
                with pytest.raises(InvalidRequest, match="another pool"):
                    await service.put("p2", {"uri": f"postgresql://{other}", "weight": 1})
        assert PASSWORD not in str(await service.get("p1"))
        with pytest.raises(InvalidRequest, match="cannot connect") as refused:
            await service.put("p2", {"uri": f"{first}x", "weight": 1})
        assert PASSWORD not in str(refused.value)
        await service.put("p2", {"uri": second, "weight": 1})
        await engine.close()

    home, first, second = three_databases
    asyncio.run(story())


def test_a_database_is_known_by_whatever_name_it_is_called(three_databases: list[str]) -> None:
    async def story() -> None:
        engine = Pools(PostgresqlEngine(home), [])
        await engine.start()
        service = pools_service(Settings(store=home), engine, lambda: 1, counting_ids())
        await service.put("p1", {"uri": first, "weight": 1})
        with pytest.raises(InvalidRequest, match="that of the store, by another name"):
            await service.put("p2", {"uri": by_name(home), "weight": 1})
        with pytest.raises(InvalidRequest, match="that of the pool p1, by another name"):
            await service.put("p2", {"uri": by_name(first), "weight": 1})
        engine.members.by_name()["p1"].down = True
        with pytest.raises(InvalidRequest, match="that of the pool p1, by another name"):
            await service.put("p2", {"uri": by_name(first), "weight": 1})
        await service.change("p1", {"weight": 5})
        await service.put("p1", {"uri": first, "weight": 7})
        await service.drain("p1", draining=True)
        assert engine.members.by_name()["p1"].pool.identity
        await service.put("p2", {"uri": by_name(second), "weight": 1})
        await engine.close()

    home, first, second = three_databases
    asyncio.run(story())


def test_a_pool_of_which_no_identity_was_noted_is_asked_for_it(three_databases: list[str]) -> None:
    async def story() -> None:
        engine = Pools(PostgresqlEngine(home), [first])
        await engine.start()
        service = pools_service(Settings(store=home), engine, lambda: 1, counting_ids())
        with pytest.raises(InvalidRequest, match="that of the pool p1, by another name"):
            await service.put("p2", {"uri": by_name(first), "weight": 1})
        await engine.close()

    home, first, _ = three_databases
    asyncio.run(story())


def test_a_pool_that_not_all_nodes_can_reach_is_refused(three_databases: list[str], tmp_path: Path) -> None:
    async def story() -> None:
        engine = Pools(PostgresqlEngine(home), [])
        await engine.start()
        service = pools_service(Settings(store=home), engine, lambda: 1, counting_ids())
        for uri in (f"sqlite:///{tmp_path}/pool", "memory://"):
            with pytest.raises(InvalidRequest, match="All nodes of this store use its pools"):
                await service.put("p1", {"uri": uri, "weight": 1})
        assert not (tmp_path / "pool").exists()
        await engine.close()

    home, *_ = three_databases
    asyncio.run(story())


def by_name(url: str) -> str:
    """Return the URL of a database with another name of its host."""
    return url.replace("127.0.0.1", "localhost")

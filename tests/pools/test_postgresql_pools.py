"""Pools that are databases of PostgreSQL servers, of which one may be stopped."""

import asyncio
from collections.abc import Iterator

import pytest

from sukkal.app.engines import pools_service
from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.errors import InvalidRequest, StoreUnavailable
from sukkal.model import NewMessage, Post, QueueKey
from sukkal.settings import Settings
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
        service = pools_service(Settings(store=home), engine, lambda: 1)
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

"""What the PostgreSQL engine does when its server does not do what it should."""

import asyncio
from collections.abc import Iterator
from typing import Final

import asyncpg
import pytest

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.errors import StartupError, StoreUnavailable
from sukkal.model import NewMessage, Position, Post, QueueKey, View
from sukkal.postgresql import Database, Schema
from tests.engines.postgresql_server import PASSWORD, USER, PostgreSQL, nodes

KEY: Final = QueueKey("p", "q")
NOW_MS: Final = 1_000_000
EVERYTHING: Final = View(claimed=True, delayed=True)


@pytest.fixture
def durable() -> Iterator[PostgreSQL]:
    """Return a server of the test's own, which may be killed and keeps what it has acknowledged."""
    with PostgreSQL(durable=True) as server:
        yield server


async def post(engine: PostgresqlEngine, id_: str, key: QueueKey = KEY) -> None:
    await engine.publish((Post(key, (NewMessage(id=id_, body=b"1", ttl_s=3_600),)),), now_ms=NOW_MS)


async def listed(engine: PostgresqlEngine) -> list[str]:
    found: list[str] = []
    after: Position | None = None
    while True:
        page = await engine.browse(KEY, after=after, limit=500, view=EVERYTHING, now_ms=NOW_MS)
        found += [message.id for message in page.messages]
        if page.next is None:
            return found
        after = page.next


async def post_on(engine: PostgresqlEngine, name: str, acknowledged: list[str], enough: asyncio.Event) -> None:
    """Post one after the other, whether or not they are taken, and note those that are."""
    number = 0
    while not enough.is_set():
        number += 1
        try:
            await post(engine, f"{name}-{number}")
        except StoreUnavailable:
            continue
        acknowledged.append(f"{name}-{number}")


async def more(acknowledged: list[str], count: int) -> None:
    """Wait until so many more are taken."""
    goal = len(acknowledged) + count
    while len(acknowledged) < goal:  # noqa: ASYNC110 - the writers have the loop's turns
        await asyncio.sleep(0)


async def healed(engine: PostgresqlEngine, id_: str) -> None:
    """Post until it is taken."""
    while True:
        try:
            await post(engine, id_)
        except StoreUnavailable:
            continue
        return


def test_nothing_acknowledged_is_lost_when_the_server_is_killed_in_the_middle_of_writes(durable: PostgreSQL) -> None:
    url = durable.new_database()

    async def scenario() -> None:
        async with nodes(url) as (engine,):
            for round_ in range(2):
                acknowledged: list[str] = []
                enough = asyncio.Event()
                writers = [
                    asyncio.ensure_future(post_on(engine, f"{round_}-{number}", acknowledged, enough))
                    for number in range(8)
                ]
                await asyncio.wait_for(more(acknowledged, 200), 60)
                durable.kill()
                enough.set()
                await asyncio.wait_for(asyncio.gather(*writers), 60)
                with pytest.raises(StoreUnavailable):
                    await post(engine, "while it is away")
                with pytest.raises(StoreUnavailable):
                    await engine.get_queue(KEY)
                durable.start()
                await asyncio.wait_for(healed(engine, f"{round_}-after"), 60)
                assert set(acknowledged) <= set(await listed(engine))

    asyncio.run(scenario())


def test_calls_whose_connections_are_cut_fail_and_the_next_ones_succeed(postgresql: PostgreSQL, store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            acknowledged: list[str] = []
            enough = asyncio.Event()
            writers = [asyncio.ensure_future(post_on(engine, str(number), acknowledged, enough)) for number in range(4)]
            for _ in range(3):
                await asyncio.wait_for(more(acknowledged, 20), 60)
                await asyncio.to_thread(postgresql.cut, store)
            await asyncio.wait_for(more(acknowledged, 20), 60)
            enough.set()
            await asyncio.gather(*writers)
            assert set(acknowledged) <= set(await listed(engine))

    asyncio.run(scenario())


def test_a_store_that_takes_no_writes_gives_what_it_has(postgresql: PostgreSQL, store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            await post(engine, "before")
            name = store.rpartition("/")[2]
            await asyncio.to_thread(
                postgresql.execute, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'
            )
            await asyncio.to_thread(postgresql.cut, store)
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    await post(engine, "during")
            while True:
                try:
                    assert await listed(engine) == ["before"]
                    break
                except StoreUnavailable:
                    continue
            await asyncio.to_thread(postgresql.execute, f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
            await asyncio.wait_for(healed(engine, "after"), 60)
            assert await listed(engine) == ["before", "after"]

    asyncio.run(scenario())


def test_a_statement_that_waits_too_long_fails_and_takes_nothing_with_it(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store, statement_s=0.2) as (engine,):
            await post(engine, "before")
            other = await asyncpg.connect(store)
            async with other.transaction():
                await other.execute("LOCK TABLE sukkal.places IN ACCESS EXCLUSIVE MODE")
                with pytest.raises(StoreUnavailable):
                    await asyncio.wait_for(post(engine, "during"), 30)
            await post(engine, "after")
            assert await listed(engine) == ["before", "after"]
            await other.close()

    asyncio.run(scenario())


def test_a_call_that_the_database_cannot_hold_takes_no_other_with_it(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            outcomes = await asyncio.gather(
                post(engine, "a"), post(engine, "nul\0"), post(engine, "b"), return_exceptions=True
            )
            assert [type(each) for each in outcomes] == [type(None), StoreUnavailable, type(None)]
            assert sorted(await listed(engine)) == ["a", "b"]

    asyncio.run(scenario())


def test_a_lookup_that_the_database_cannot_make_takes_no_other_with_it(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            looks = [
                engine.list_subscriptions(QueueKey(f"p{number}", "q"), after=after, limit=1, now_ms=NOW_MS)
                for number, after in enumerate(("a", "nul\0", "b"))
            ]
            outcomes = await asyncio.gather(*looks, return_exceptions=True)
            assert [type(each) for each in outcomes] == [tuple, StoreUnavailable, tuple]

    asyncio.run(scenario())


def test_a_caller_who_goes_away_harms_nobody(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            calls = [asyncio.ensure_future(post(engine, str(number))) for number in range(3)]
            looks = [asyncio.ensure_future(engine.get_queue(KEY)) for _ in range(3)]
            pages = [asyncio.ensure_future(listed(engine)) for _ in range(3)]
            await asyncio.sleep(0)
            for each in (calls[1], looks[1], pages[1]):
                each.cancel()
            await asyncio.gather(calls[0], calls[2], looks[0], looks[2], pages[0], pages[2])
            assert {"0", "2"} <= set(await listed(engine))

    asyncio.run(scenario())


def test_writes_that_wait_without_any_being_done_count_as_stalled(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            assert engine.stalled_ms(1_000) == 0
            waiting = asyncio.ensure_future(post(engine, "one"))
            await asyncio.sleep(0)
            assert engine.stalled_ms(2_000) == 0
            assert engine.stalled_ms(11_000) == 9_000
            await waiting
            await asyncio.sleep(0)
            assert engine.stalled_ms(20_000) == 0

    asyncio.run(scenario())


def test_a_closed_engine_has_done_what_it_took_and_takes_no_more(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            writes = [asyncio.ensure_future(post(engine, str(number))) for number in range(20)]
            await asyncio.sleep(0)
            await engine.close()
            await asyncio.gather(*writes)
            with pytest.raises(StoreUnavailable):
                await post(engine, "late")
            with pytest.raises(StoreUnavailable):
                await engine.get_queue(KEY)
            again = PostgresqlEngine(store)
            await again.start()
            assert len(await listed(again)) == 20
            await again.close()

    asyncio.run(scenario())


def test_making_the_tables_may_take_longer_than_a_request(postgresql: PostgreSQL) -> None:
    slow = Schema("sukkal", "sukkal.engines.postgresql")
    slow.migrations.append("SELECT pg_sleep(1.5)")
    asyncio.run(Database(postgresql.new_database(), slow, connect_s=5, statement_s=0.1).migrate())


def started(url: str) -> str:
    """Return what an engine says that does not start."""
    with pytest.raises(StartupError) as refused:
        asyncio.run(PostgresqlEngine(url, connect_s=5).start())
    return str(refused.value)


def test_an_engine_that_cannot_start_says_what_to_do(postgresql: PostgreSQL, store: str) -> None:
    assert "Check the user and the password" in started(store.replace(PASSWORD, "wrong"))
    assert "Create it" in started(store + "x")
    assert "Check that the server runs" in started(f"postgresql://{USER}:{PASSWORD}@127.0.0.1:1/x")
    assert "Check that the server runs" in started("postgresql://127.0.0.1:notaport/x")
    name = f"guest_{store.rpartition('/')[2]}"
    postgresql.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'guest'")
    empty = postgresql.new_database()
    assert "grant it CREATE" in started(empty.replace(f"{USER}:{PASSWORD}", f"{name}:guest"))
    for said in (started(store.replace(PASSWORD, "wrong")), started(store + "x")):
        assert PASSWORD not in said
        assert "wrong" not in said

"""What the PostgreSQL engine does when a server, a node or the network between them stands still without a word."""

import asyncio
from typing import Final

import pytest

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.postgresql.database import Connection, Database
from sukkal.engines.postgresql.hints import Hints
from sukkal.engines.postgresql.picture import PostgresqlPicture
from sukkal.engines.postgresql.reads import Reads
from sukkal.errors import StoreUnavailable
from sukkal.model import NewMessage, Post, QueueKey, View
from tests.engines.postgresql_server import PostgreSQL, nodes
from tests.nodes.proxy import Network

KEY: Final = QueueKey("p", "q")
NOW_MS: Final = 1_000_000
STATEMENT_S: Final = 0.2
CONNECTIONS_MAX: Final = 8
_OURS: Final = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sukkal'"
_HELD: Final = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sukkal' AND wait_event = 'SyncRep'"


async def post(engine: PostgresqlEngine, id_: str, key: QueueKey = KEY) -> None:
    await engine.publish((Post(key, (NewMessage(id=id_, body=b"1", ttl_s=3_600),)),), now_ms=NOW_MS)


async def listed(engine: PostgresqlEngine, key: QueueKey = KEY) -> list[str]:
    page = await engine.browse(key, after=None, limit=500, view=View(claimed=True, delayed=True), now_ms=NOW_MS)
    return [message.id for message in page.messages]


async def refused(engine: PostgresqlEngine, name: str, count: int = 30) -> None:
    """Post to so many new queues at once, and see that none is taken."""
    posts = [post(engine, "during", QueueKey("p", f"{name}-{number}")) for number in range(count)]
    outcomes = await asyncio.gather(*posts, return_exceptions=True)
    assert {type(each) for each in outcomes} == {StoreUnavailable}


async def healed(engine: PostgresqlEngine, id_: str, key: QueueKey = KEY) -> None:
    """Post until it is taken."""
    while True:
        try:
            await post(engine, id_, key)
        except StoreUnavailable:
            await asyncio.sleep(0)
            continue
        return


def behind(network: Network, store: str) -> str:
    """Return the URL of a store as it is reached through a network."""
    server, _, name = store.rpartition("/")
    return f"{server.rpartition(':')[0]}:{network.port}/{name}"


def test_a_store_without_its_standby_has_no_more_connections_and_shows_nothing_that_was_not_acknowledged() -> None:
    async def scenario(server: PostgreSQL, url: str) -> None:
        async with nodes(url, statement_s=STATEMENT_S) as (engine,):
            await post(engine, "before")
            await server.wait_for_nobody_there()
            for round_ in range(2 * CONNECTIONS_MAX):
                await asyncio.wait_for(refused(engine, f"q{round_}"), 30)
            assert await server.fetch_number(url, _OURS) <= CONNECTIONS_MAX
            assert "during" not in await listed(engine, QueueKey("p", "q0-1"))
            assert engine.stalled_ms(1_000) == engine.stalled_ms(100_000) == 0
            await asyncio.to_thread(server.wait_for_nobody)
            for number in range(30):
                await asyncio.wait_for(healed(engine, "after", QueueKey("p", f"q0-{number}")), 30)
            assert await server.fetch_number(url, _OURS) <= CONNECTIONS_MAX

    with PostgreSQL() as server:
        asyncio.run(scenario(server, server.new_store()))


def test_what_was_given_up_before_it_was_sent_is_not_done_later() -> None:
    async def scenario(server: PostgreSQL, url: str) -> None:
        async with nodes(url, statement_s=STATEMENT_S, lanes=1) as (engine,):
            await post(engine, "before")
            await server.wait_for_nobody_there()
            sent = asyncio.ensure_future(post(engine, "sent"))
            while not await server.fetch_number(url, _HELD):
                pass
            waiting = asyncio.ensure_future(post(engine, "waiting"))
            outcomes = await asyncio.wait_for(asyncio.gather(sent, waiting, return_exceptions=True), 30)
            assert [type(each) for each in outcomes] == [StoreUnavailable, StoreUnavailable]
            await asyncio.to_thread(server.wait_for_nobody)
            await asyncio.wait_for(healed(engine, "after"), 30)
            assert await listed(engine) == ["before", "sent", "after"]

    with PostgreSQL() as server:
        asyncio.run(scenario(server, server.new_store()))


def test_a_store_without_its_standby_keeps_no_node_from_stopping() -> None:
    async def scenario(server: PostgreSQL, url: str) -> None:
        async with nodes(url, statement_s=STATEMENT_S) as (engine,):
            await server.wait_for_nobody_there()
            await refused(engine, "q")
            under_way = asyncio.ensure_future(post(engine, "on its way"))
            await asyncio.wait_for(engine.close(), 30)
            with pytest.raises(StoreUnavailable):
                await under_way

    with PostgreSQL() as server:
        asyncio.run(scenario(server, server.new_store()))


def test_connections_that_lead_nowhere_any_more_are_given_up(postgresql: PostgreSQL, store: str) -> None:
    async def scenario() -> None:
        async with (
            Network(postgresql.port) as network,
            nodes(behind(network, store), statement_s=STATEMENT_S) as (engine,),
        ):
            await post(engine, "before")
            network.forget()
            with pytest.raises(StoreUnavailable):
                await asyncio.wait_for(post(engine, "during"), 30)
            await asyncio.wait_for(healed(engine, "after"), 30)
            while True:
                try:
                    assert await listed(engine) == ["before", "after"]
                    break
                except StoreUnavailable:
                    continue

    asyncio.run(scenario())


def test_a_node_that_stands_still_in_a_transaction_holds_nobody_up_for_long(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store, statement_s=10) as (engine,):
            await post(engine, "before")
            other = await Database(store, connect_s=5, statement_s=STATEMENT_S).connect()
            await other.execute("BEGIN")
            await other.execute("SELECT 1 FROM sukkal.places FOR UPDATE")
            await post(engine, "after")
            assert await listed(engine) == ["before", "after"]
            other.terminate()

    asyncio.run(scenario())


def test_a_picture_of_the_store_stays_however_slowly_it_is_carried_away(store: str) -> None:
    async def scenario() -> None:
        async with PostgresqlPicture(store, connect_s=5, statement_s=STATEMENT_S) as picture:
            ((setting,),) = await picture.fetch("SHOW idle_in_transaction_session_timeout")
            assert setting == "0"

    asyncio.run(scenario())


def test_the_server_is_to_notice_soon_when_a_node_is_gone(store: str) -> None:
    async def scenario() -> None:
        connection = await Database(store, connect_s=5, statement_s=5).connect()
        values = {
            name: int(await connection.fetchval("SELECT setting::bigint FROM pg_settings WHERE name = $1", name))
            for name in ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
        }
        await connection.close()
        assert 0 < values["tcp_user_timeout"] <= 60_000
        silence_s = values["tcp_keepalives_idle"] + values["tcp_keepalives_interval"] * values["tcp_keepalives_count"]
        assert 0 < silence_s <= 120

    asyncio.run(scenario())


def test_a_node_that_only_listens_notices_that_its_connection_leads_nowhere(postgresql: PostgreSQL, store: str) -> None:
    async def scenario() -> None:
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        begun: asyncio.Queue[object] = asyncio.Queue()
        async with Network(postgresql.port) as network, nodes(store) as (speaker,):
            database = Database(behind(network, store), connect_s=5, statement_s=STATEMENT_S)
            listener = Hints(database, begun.put_nowait, heard.put_nowait, look_s=0.05)
            speaker.hints(lambda _: None, lambda _: None)
            try:
                assert await asyncio.wait_for(begun.get(), 30) is None
                network.forget()
                # Whatever it has not heard meanwhile, it has to look everywhere.
                assert await asyncio.wait_for(begun.get(), 30) is None
                while heard.empty():
                    try:
                        await speaker.say(b"word")
                    except StoreUnavailable:
                        await asyncio.sleep(0)
                assert await heard.get() == b"word"
            finally:
                await listener.close()

    asyncio.run(scenario())


def test_callers_who_go_away_while_a_connection_is_made_leave_none_behind(store: str) -> None:
    made = 0
    may_connect = asyncio.Event()

    class Slow(Database):
        async def connect(self, **settings: str) -> Connection:
            nonlocal made
            made += 1
            await may_connect.wait()
            return await super().connect(**settings)

    async def scenario() -> None:
        reads = Reads(Slow(store, connect_s=5, statement_s=5), count=2)
        for _ in range(20):
            asked = asyncio.ensure_future(reads.fetch("SELECT 1"))
            await asyncio.sleep(0)
            asked.cancel()
            await asyncio.wait((asked,))
        may_connect.set()
        answers = await asyncio.gather(*(reads.fetch("SELECT 1") for _ in range(10)))
        assert [len(each) for each in answers] == [1] * 10
        assert made <= 2
        await reads.close()

    asyncio.run(scenario())

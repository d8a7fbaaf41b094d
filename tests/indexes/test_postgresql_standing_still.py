"""The index in PostgreSQL when its server waits for a standby that is away, and ends no commit."""

import asyncio
from typing import Final

import pytest
from tests.engines.postgresql_server import PostgreSQL

from sukkal.errors import Unavailable
from sukkal.indexes.postgresql import PostgresqlIndex
from sukkal.model import QueueKey
from sukkal.search import Asked
from sukkal.testing.contract_search import NOW_MS, document

STATEMENT_S: Final = 0.2
CONNECTIONS_MAX: Final = 6
_OURS: Final = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sukkal'"
_TABLES: Final = "SELECT count(*) FROM pg_namespace WHERE nspname = 'sukkal_search'"


def index_at(url: str) -> PostgresqlIndex:
    return PostgresqlIndex(url, bytes_max=10**9, statement_s=STATEMENT_S)


async def put(index: PostgresqlIndex, project: str, number: int) -> int:
    new = document(number, queue=QueueKey(project, "q"))
    return await index.put(project, [new], now_ms=NOW_MS)


async def found(index: PostgresqlIndex, project: str) -> list[str]:
    hits = (await index.find("events", project, Asked(), before=None, limit=100)).hits
    return [hit.message_id for hit in hits]


async def healed(index: PostgresqlIndex, project: str, number: int) -> None:
    """Put a document until it is taken."""
    while True:
        try:
            await put(index, project, number)
        except Unavailable:
            await asyncio.sleep(0)
            continue
        return


def test_an_index_without_its_standby_has_no_more_connections_and_tells_every_writer() -> None:
    async def scenario(server: PostgreSQL, url: str) -> None:
        index = index_at(url)
        await put(index, "before", 0)
        await server.wait_for_nobody_there()
        for round_ in range(4):
            puts = [put(index, f"p{round_}-{number}", number) for number in range(10)]
            outcomes = await asyncio.wait_for(asyncio.gather(*puts, return_exceptions=True), 60)
            assert {type(each) for each in outcomes} == {Unavailable}
            assert await server.fetch_number(url, _OURS) <= CONNECTIONS_MAX
            assert await found(index, "before") == ["m0"]
        assert await found(index, "p0-0") == []
        await asyncio.to_thread(server.wait_for_nobody)
        for number in range(10):
            await asyncio.wait_for(healed(index, f"p0-{number}", number), 60)
            assert await found(index, f"p0-{number}") == [f"m{number}"]
        assert await server.fetch_number(url, _OURS) <= CONNECTIONS_MAX
        await index.close()

    with PostgreSQL() as server:
        asyncio.run(scenario(server, server.new_database()))


def test_what_was_given_up_on_is_kept_once_when_its_commit_has_ended() -> None:
    async def scenario(server: PostgreSQL, url: str) -> None:
        index = index_at(url)
        await put(index, "p", 0)
        await server.wait_for_nobody_there()
        with pytest.raises(Unavailable):
            await asyncio.wait_for(put(index, "p", 1), 60)
        assert await found(index, "p") == ["m0"]
        await asyncio.to_thread(server.wait_for_nobody)
        await asyncio.wait_for(healed(index, "p", 1), 60)
        assert await found(index, "p") == ["m1", "m0"]
        await index.close()

    with PostgreSQL() as server:
        asyncio.run(scenario(server, server.new_database()))


def test_making_its_tables_without_the_standby_takes_one_connection_however_often_it_is_tried() -> None:
    async def scenario(server: PostgreSQL, url: str) -> None:
        index = index_at(url)
        await server.wait_for_nobody_there()
        for number in range(3):
            outcomes = await asyncio.wait_for(
                asyncio.gather(put(index, "p", number), found(index, "p"), return_exceptions=True), 60
            )
            assert {type(each) for each in outcomes} == {Unavailable}
            assert await server.fetch_number(url, _OURS) == 1
            assert await server.fetch_number(url, _TABLES) == 0
        await asyncio.to_thread(server.wait_for_nobody)
        await asyncio.wait_for(healed(index, "p", 9), 60)
        assert await found(index, "p") == ["m9"]
        await index.close()

    with PostgreSQL() as server:
        asyncio.run(scenario(server, server.new_database()))


def test_an_index_without_its_standby_keeps_no_node_from_stopping() -> None:
    async def scenario(server: PostgreSQL, url: str, empty: str) -> None:
        index, new = index_at(url), index_at(empty)
        await put(index, "before", 0)
        await server.wait_for_nobody_there()
        under_way = [asyncio.ensure_future(put(each, "p", 1)) for each in (index, new)]
        with pytest.raises(Unavailable):
            await asyncio.wait_for(put(index, "other", 1), 60)
        await asyncio.wait_for(asyncio.gather(index.close(), new.close()), 60)
        outcomes = await asyncio.wait_for(asyncio.gather(*under_way, return_exceptions=True), 60)
        assert {type(each) for each in outcomes} == {Unavailable}
        await asyncio.to_thread(server.wait_for_nobody)

    with PostgreSQL() as server:
        asyncio.run(scenario(server, server.new_database(), server.new_database()))

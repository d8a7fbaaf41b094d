"""The index in PostgreSQL with several nodes, and when its server does not do what it should."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Final

import asyncpg
import pytest
from tests.engines.postgresql_server import PASSWORD, USER, PostgreSQL

from sukkal import limits
from sukkal.errors import InvalidRequest, Unavailable
from sukkal.indexes.postgresql import PostgresqlIndex
from sukkal.model import QueueKey
from sukkal.search import Asked, Change, Document, Hits
from sukkal.testing.contract_search import NOW_MS, document

EVERYTHING: Final = Asked()
BYTES_MAX: Final = 10**9


@pytest.fixture
def url(postgresql: PostgreSQL) -> Iterator[str]:
    """Return the URL of an empty database."""
    found = postgresql.new_database()
    yield found
    postgresql.drop_database(found)


@contextlib.asynccontextmanager
async def nodes(url: str, count: int = 1, *, bytes_max: int = BYTES_MAX) -> AsyncIterator[list[PostgresqlIndex]]:
    """Return the index as several nodes have it, and close it on all of them."""
    async with contextlib.AsyncExitStack() as stack:
        indexes = [PostgresqlIndex(url, bytes_max=bytes_max) for _ in range(count)]
        for index in indexes:
            stack.push_async_callback(index.close)
        yield indexes


async def found(index: PostgresqlIndex, *, project: str = "p", limit: int = 1_000) -> list[str]:
    """Return what the index has, newest first."""
    hits = (await index.find("events", project, EVERYTHING, before=None, limit=limit)).hits
    return [hit.message_id for hit in hits]


async def healed(index: PostgresqlIndex, new: Document) -> None:
    """Put a document until it is taken and something is found again."""
    while True:
        with contextlib.suppress(Unavailable):
            await index.put("p", [new], now_ms=NOW_MS)
            await found(index)
            return


async def kept_bytes(url: str) -> tuple[int, int]:
    """Return how many bytes are counted and how many there are."""
    connection = await asyncpg.connect(url)
    try:
        counted = await connection.fetchval("SELECT coalesce(sum(bytes), 0) FROM sukkal_search.projects")
        there = await connection.fetchval("SELECT coalesce(sum(size), 0) FROM sukkal_search.entries")
    finally:
        await connection.close()
    return int(counted), int(there)


def server(number: int, *, name: str = "s1", queue: str = "q") -> Document:
    return document(number, "common", resource=Change("OS::Nova::Server", name), queue=QueueKey("p", queue))


def test_nodes_that_index_the_same_project_at_once_keep_each_event_once(url: str) -> None:
    async def put(index: PostgresqlIndex, first: int) -> int:
        # All of them put the same documents, each beginning at another one.
        numbers = [(first + number) % 60 for number in range(60)]
        return sum(
            [
                await index.put(
                    "p", [server(number, name=f"s{number % 7}") for number in numbers[at : at + 6]], now_ms=NOW_MS
                )
                for at in range(0, 60, 6)
            ]
        )

    async def scenario() -> None:
        async with nodes(url, 3) as indexes:
            puts = [put(index, first * 20 + lane) for first, index in enumerate(indexes) for lane in range(2)]
            new = await asyncio.wait_for(asyncio.gather(*puts), 60)
            assert sum(new) == 60
            assert sorted(await found(indexes[0])) == sorted(f"m{number}" for number in range(60))
            [seen] = await indexes[1].types("p", after="", limit=10)
            assert (seen.count, seen.sources) == (60, (("/nova", 60),))
            hits = (await indexes[2].find("resources", "p", EVERYTHING, before=None, limit=100)).hits
            latest = {max(number for number in range(60) if number % 7 == name) for name in range(7)}
            assert {hit.message_id for hit in hits} == {f"m{number}" for number in latest}
            counted, there = await kept_bytes(url)
            assert counted == there

    asyncio.run(scenario())


def test_who_pages_while_another_node_indexes_misses_nothing_that_was_there(url: str) -> None:
    async def scenario() -> None:
        async with nodes(url, 2) as (here, there):
            await here.put("p", [document(number) for number in range(50)], now_ms=NOW_MS)
            enough = asyncio.Event()

            async def write() -> None:
                number = 100
                while not enough.is_set():
                    await there.put("p", [document(number)], now_ms=NOW_MS)
                    number += 1

            writing = asyncio.ensure_future(write())
            seen: list[str] = []
            page = Hits((), limits.INT64_MAX)
            while page.next is not None:
                page = await here.find("events", "p", EVERYTHING, before=page.next, limit=7)
                seen += [hit.message_id for hit in page.hits]
            enough.set()
            await writing
            assert seen[-50:] == [f"m{number}" for number in reversed(range(50))]
            assert len(seen) == len(set(seen))

    asyncio.run(scenario())


def test_nodes_that_put_drop_and_sweep_at_once_end_in_peace(url: str) -> None:
    async def scenario() -> None:
        async with nodes(url, 2, bytes_max=2_000) as (here, there):

            async def put(index: PostgresqlIndex, first: int, queue: str) -> None:
                for number in range(first, first + 200, 10):
                    documents = [server(each, name=f"s{each % 5}", queue=queue) for each in range(number, number + 10)]
                    await index.put("p", documents, now_ms=NOW_MS + number)

            async def clear(index: PostgresqlIndex) -> None:
                for number in range(20):
                    await index.drop_queue(QueueKey("p", f"q{number % 2}"), now_ms=NOW_MS + number)
                    await index.sweep(before_ms=NOW_MS + number, limit=5)
                    if number == 10:
                        await index.drop_project("p")

            work = [put(here, 0, "q0"), put(there, 0, "q1"), put(there, 100, "q0"), clear(here), clear(there)]
            await asyncio.wait_for(asyncio.gather(*work), 60)
            for index in (here, there):
                while await index.sweep(before_ms=NOW_MS + 10_000, limit=50):
                    pass
            assert await found(here) == []
            counted, in_fact = await kept_bytes(url)
            assert counted == in_fact

    asyncio.run(scenario())


def test_a_node_that_dies_in_the_middle_leaves_nothing_and_holds_up_nobody(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with nodes(url, 2) as (here, there):
            await there.put("p", [server(0)], now_ms=NOW_MS)
            arrived = asyncio.Event()

            async def stop(*given: object) -> None:
                arrived.set()
                await asyncio.Event().wait()

            with monkeypatch.context() as halted:
                halted.setattr("sukkal.indexes.postgresql.writing.note_types", stop)
                dying = asyncio.ensure_future(here.put("p", [server(1), server(2)], now_ms=NOW_MS))
                await asyncio.wait_for(arrived.wait(), 60)
            waiting = asyncio.ensure_future(there.put("p", [server(2), server(3)], now_ms=NOW_MS))
            assert await found(there) == ["m0"]
            dying.cancel()
            await asyncio.wait((dying,))
            assert await asyncio.wait_for(waiting, 60) == 2
            assert await found(there) == ["m3", "m2", "m0"]
            assert await here.put("p", [server(1), server(2)], now_ms=NOW_MS) == 1
            counted, in_fact = await kept_bytes(url)
            assert counted == in_fact

    asyncio.run(scenario())


def test_nothing_that_was_taken_is_lost_when_the_server_is_killed_and_comes_back() -> None:
    with PostgreSQL(durable=True) as own:
        url = own.new_database()

        async def scenario() -> None:
            async with nodes(url) as (index,):
                taken: list[str] = []
                enough = asyncio.Event()

                async def write(first: int) -> None:
                    number = first
                    while not enough.is_set():
                        try:
                            await index.put("p", [document(number)], now_ms=NOW_MS)
                        except Unavailable:
                            continue
                        taken.append(f"m{number}")
                        number += 1

                writers = [asyncio.ensure_future(write(first * 10_000)) for first in range(3)]
                while len(taken) < 50:  # noqa: ASYNC110 - the writers have the loop's turns
                    await asyncio.sleep(0)
                own.kill()
                enough.set()
                await asyncio.wait_for(asyncio.gather(*writers), 60)
                for _ in range(2):
                    with pytest.raises(Unavailable):
                        await index.put("p", [document(99_999)], now_ms=NOW_MS)
                    with pytest.raises(Unavailable):
                        await found(index)
                own.start()
                await asyncio.wait_for(healed(index, document(99_999)), 60)
                assert set(taken) <= set(await found(index))

        asyncio.run(scenario())


def test_calls_whose_connections_are_cut_fail_and_the_next_ones_succeed(postgresql: PostgreSQL, url: str) -> None:
    async def scenario() -> None:
        async with nodes(url) as (index,):
            for number in range(3):
                with contextlib.suppress(Unavailable):
                    await index.put("p", [document(number)], now_ms=NOW_MS)
                await found(index)
                await asyncio.to_thread(postgresql.cut, url)
                with contextlib.suppress(Unavailable):
                    await found(index)
            await asyncio.wait_for(healed(index, document(9)), 60)
            assert (await found(index))[0] == "m9"

    asyncio.run(scenario())


def test_an_index_that_cannot_be_opened_says_so_at_each_call_and_heals(postgresql: PostgreSQL, url: str) -> None:
    async def scenario() -> None:
        name = url.rpartition("/")[2]
        missing = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{postgresql.port}/{name}_later"
        async with nodes(missing) as (index,):
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await index.put("p", [document(0)], now_ms=NOW_MS)
                with pytest.raises(Unavailable):
                    await found(index)
            await asyncio.to_thread(postgresql.execute, f'CREATE DATABASE "{name}_later"')
            assert await index.put("p", [document(0)], now_ms=NOW_MS) == 1
        await asyncio.to_thread(postgresql.drop_database, missing)

    asyncio.run(scenario())


def test_a_put_that_fails_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*given: object) -> None:
        raise asyncpg.DiskFullError("no space left")

    async def scenario() -> None:
        async with nodes(url) as (index,):
            await index.put("p", [document(0)], now_ms=NOW_MS)
            with monkeypatch.context() as broken:
                broken.setattr("sukkal.indexes.postgresql.writing.note_types", fail)
                with pytest.raises(Unavailable):
                    await index.put("p", [document(1), document(2)], now_ms=NOW_MS)
            assert await found(index) == ["m0"]
            assert await index.put("p", [document(1)], now_ms=NOW_MS) == 1

    asyncio.run(scenario())


def test_a_search_that_takes_too_long_is_broken_off(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        monkeypatch.setattr(limits, "SEARCH_S_MAX", 0.2)
        async with nodes(url) as (index,):
            await index.put("p", [document(0)], now_ms=NOW_MS)
            other = await asyncpg.connect(url)
            async with other.transaction():
                await other.execute("LOCK TABLE sukkal_search.entries IN ACCESS EXCLUSIVE MODE")
                with pytest.raises(InvalidRequest, match="since"):
                    await found(index)
            assert await found(index) == ["m0"]
            await other.close()

    asyncio.run(scenario())


def test_a_project_whose_writes_wait_holds_up_no_other(url: str) -> None:
    async def scenario() -> None:
        async with nodes(url) as (index,):
            await index.put("p", [document(0)], now_ms=NOW_MS)
            other = await asyncpg.connect(url)
            async with other.transaction():
                await other.execute("SELECT 1 FROM sukkal_search.projects WHERE project = 'p' FOR UPDATE")
                waiting = [asyncio.ensure_future(index.put("p", [document(n)], now_ms=NOW_MS)) for n in range(1, 9)]
                assert await asyncio.wait_for(index.put("other", [document(1)], now_ms=NOW_MS), 60) == 1
                assert await found(index) == ["m0"]
                await index.put("other", [document(2)], now_ms=NOW_MS)
                sweep = index.sweep(before_ms=NOW_MS + 1, limit=10)
                assert await asyncio.wait_for(sweep, 60) == 2, "what is written just now is left alone"
                assert not any(each.done() for each in waiting)
            assert await asyncio.wait_for(asyncio.gather(*waiting), 60) == [1] * 8
            await other.close()

    asyncio.run(scenario())


def test_who_waits_too_long_for_others_is_told_to_come_back(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with nodes(url) as (index,):
            await index.put("p", [document(0)], now_ms=NOW_MS)
            with monkeypatch.context() as hurried:
                hurried.setattr(limits, "SEARCH_WAIT_S", 0)
                with pytest.raises(Unavailable, match="Too many searches"):
                    await found(index)
            monkeypatch.setattr(limits, "SEARCH_WAITING_MAX", 5)
            answers = await asyncio.gather(*(found(index) for _ in range(9)), return_exceptions=True)
            assert answers[:5] == [["m0"]] * 5
            assert all(isinstance(each, Unavailable) for each in answers[5:])
            assert await found(index) == ["m0"]

    asyncio.run(scenario())

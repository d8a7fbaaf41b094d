"""How the PostgreSQL engine deals calls to its connections: together where it can be, past what holds others up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from sukkal.engines.commits import Commits
from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.postgresql.database import Connection, Database
from sukkal.model import NewMessage, Post, QueueKey, View
from tests.engines.postgresql_server import HELD_UP, held_up, nodes

KEY: Final = QueueKey("p", "q")
NOW_MS: Final = 1_000_000
_POSTS_MAX: Final = 500


async def post(engine: PostgresqlEngine, id_: str, key: QueueKey = KEY) -> None:
    await engine.publish((Post(key, (NewMessage(id=id_, body=b"1", ttl_s=3_600),)),), now_ms=NOW_MS)


def transactions(commits: Commits) -> int:
    return int(commits.durations.buckets()[-1][1])


async def listed(engine: PostgresqlEngine) -> list[str]:
    page = await engine.browse(KEY, after=None, limit=100, view=View(claimed=True), now_ms=NOW_MS)
    return [each.id for each in page.messages]


@contextlib.asynccontextmanager
async def held(store: str) -> AsyncIterator[Connection]:
    """Hold all queues that there are, until the connection's transaction ends or this does."""
    other = await Database(store, connect_s=10, statement_s=60).connect()
    try:
        await other.execute("BEGIN")
        await other.execute("SELECT 1 FROM sukkal.places FOR UPDATE")
        yield other
    finally:
        await other.close()


async def let_past(engine: PostgresqlEngine) -> None:
    """Post to one new queue after the other, and return when one of these posts is done."""
    for number in range(_POSTS_MAX):
        task = asyncio.create_task(post(engine, "1", QueueKey("p", f"new-{number}")))
        done, _ = await asyncio.wait({task}, timeout=0.01)
        if done:
            return
    raise AssertionError("none of them got past")


def test_what_waits_for_many_queues_is_one_commit(store: str) -> None:
    async def scenario() -> None:
        commits = Commits()
        async with nodes(store, commits=commits) as (engine,):
            await post(engine, "first")
            before = transactions(commits)
            await asyncio.gather(*(post(engine, "1", QueueKey("p", f"q{number}")) for number in range(64)))
            assert (transactions(commits) - before, commits.calls) == (1, 65)

    asyncio.run(scenario())


def test_a_queue_that_somebody_holds_does_not_hold_up_others(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            await post(engine, "1")
            async with held(store) as other:
                waiting = await held_up(other, post(engine, "2"))
                await let_past(engine)
                assert not waiting.done()
            await waiting

    asyncio.run(scenario())


def test_calls_of_a_queue_stay_one_behind_the_other_when_others_go_past(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            await post(engine, "1")
            async with held(store) as other:
                waiting = [await held_up(other, post(engine, "2"))]
                await let_past(engine)
                waiting += [asyncio.create_task(post(engine, id_)) for id_ in "345"]
                await let_past(engine)
                assert await other.fetchval(HELD_UP) == 1
            await asyncio.gather(*waiting)
            assert await listed(engine) == ["1", "2", "3", "4", "5"]

    asyncio.run(scenario())


def test_a_rare_write_does_not_wait_behind_a_queue_that_somebody_holds(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            await post(engine, "1")
            async with held(store) as other:
                waiting = await held_up(other, post(engine, "2"))
                new = engine.put_queue(QueueKey("p", "other"), {"a": 1}, revision=None, now_ms=NOW_MS)
                assert (await asyncio.wait_for(new, 30)).revision == 1
                assert not waiting.done()
            await waiting

    asyncio.run(scenario())

"""What calls of the PostgreSQL engine cost, counted in blocks of the database that they look at."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from sukkal import limits
from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.postgresql.batches import KeyColumns
from sukkal.engines.postgresql.database import Connection, Database
from sukkal.engines.postgresql.statements import SQL
from sukkal.model import Ack, NewClaim, NewMessage, Post, QueueKey, Subscription
from tests.engines.postgresql_server import PostgreSQL, nodes

KEY: Final = QueueKey("p", "q")
OTHER: Final = QueueKey("p", "other")
WARM: Final = QueueKey("p", "warm")
NOW_MS: Final = 1_000_000
MANY: Final = 4_000
AT_ONCE: Final = 500
FREE: Final = 5
BLOCKS_MORE_MAX: Final = 120
"""More messages make the indexes higher, by one block each. So many dead ones lie in hundreds of blocks."""

Fill = Callable[[PostgresqlEngine], Awaitable[None]]


async def post(engine: PostgresqlEngine, count: int, *, key: QueueKey = KEY, ttl_s: int = 3_600, at_ms: int) -> None:
    for start in range(0, count, AT_ONCE):
        at_ms += 1
        ids = [f"{key.name}-{at_ms}-{ttl_s}-{number:05}" for number in range(start, min(start + AT_ONCE, count))]
        messages = tuple(NewMessage(id=id_, body=b"1" * 100, ttl_s=ttl_s) for id_ in ids)
        await engine.publish((Post(key, messages),), now_ms=at_ms)


async def nothing(engine: PostgresqlEngine) -> None:
    """Leave the queue as it is."""


async def claimed(engine: PostgresqlEngine) -> None:
    """Leave many that are claimed."""
    await post(engine, MANY, at_ms=NOW_MS - 1_000)
    for number in range(0, MANY, AT_ONCE):
        await engine.claim(KEY, NewClaim(id=f"c{number}", ttl_s=900, grace_s=60), limit=AT_ONCE, now_ms=NOW_MS - 900)


async def acknowledged(engine: PostgresqlEngine) -> None:
    """Leave nothing of many that were claimed and acknowledged, but what the database has not cleaned up yet."""
    await claimed(engine)
    for number in range(0, MANY, AT_ONCE):
        await engine.settle(KEY, f"c{number}", {}, now_ms=NOW_MS - 800, rest=Ack())


async def popped(engine: PostgresqlEngine) -> None:
    """Leave nothing of many that were taken."""
    await post(engine, MANY, at_ms=NOW_MS - 1_000)
    for number in range(0, MANY, AT_ONCE):
        new = NewClaim(id=f"c{number}", ttl_s=0, grace_s=0)
        await engine.claim(KEY, new, limit=AT_ONCE, now_ms=NOW_MS - 900, settle=True)


async def delayed(engine: PostgresqlEngine) -> None:
    """Leave many that wait for their time."""
    messages = [NewMessage(id=f"late{number}", body=b"1", ttl_s=3_600, delay_s=600) for number in range(MANY)]
    for start in range(0, MANY, AT_ONCE):
        await engine.publish((Post(KEY, tuple(messages[start : start + AT_ONCE])),), now_ms=NOW_MS - 1_000)


async def expired(engine: PostgresqlEngine) -> None:
    """Leave many that have expired and were not swept."""
    await post(engine, MANY, ttl_s=60, at_ms=NOW_MS - 60_000 - MANY // AT_ONCE)


async def swept(engine: PostgresqlEngine) -> None:
    """Leave nothing of many that have expired."""
    await expired(engine)
    while (await engine.sweep(now_ms=NOW_MS, limit=500)).more:
        pass


async def elsewhere(engine: PostgresqlEngine) -> None:
    """Leave many in another queue."""
    await post(engine, MANY, key=OTHER, at_ms=NOW_MS - 1_000)


async def gone_elsewhere(engine: PostgresqlEngine) -> None:
    """Leave nothing of many in another queue that were taken, and would have expired by now."""
    begun_ms = NOW_MS - 60_000 - MANY // AT_ONCE
    await post(engine, MANY, key=OTHER, ttl_s=60, at_ms=begun_ms)
    for number in range(0, MANY, AT_ONCE):
        new = NewClaim(id=f"c{number}", ttl_s=0, grace_s=0)
        await engine.claim(OTHER, new, limit=AT_ONCE, now_ms=begun_ms + AT_ONCE, settle=True)


async def blocks(connection: Connection, sql: str, *arguments: Any) -> int:
    """Return how many blocks a statement looks at."""
    plan = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *arguments)
    top = json.loads(plan)[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


async def cost_of_claiming(connection: Connection, key: QueueKey) -> int:
    keys = KeyColumns()
    row = [[keys.place(key)], ["new"], [60], [60], [FREE], [NOW_MS], [10], [False], [False]]
    return await blocks(connection, SQL.claim, *keys.columns(), *row)


async def cost_of_listing_the_free(connection: Connection, key: QueueKey) -> int:
    return await blocks(connection, SQL.free_messages, *place_of(key), NOW_MS, -1, 0, FREE)


async def cost_of_listing_all(connection: Connection, key: QueueKey) -> int:
    scan = (limits.EXPIRED_SCAN_ROWS_MAX, limits.BROWSE_SCAN_ROWS_MAX)
    return await blocks(connection, SQL.posted_messages, *place_of(key), NOW_MS, 0, FREE, None, True, True, 0, *scan)


async def cost_of_the_next_moment(connection: Connection, key: QueueKey) -> int:
    return await blocks(connection, SQL.next_due, *place_of(key), NOW_MS)


async def measured(store: str, fill: Fill, measure: Callable[[Connection, QueueKey], Awaitable[int]]) -> int:
    """Return what the first call costs that comes after all that, while the server cannot clean anything up."""
    database = Database(store, connect_s=10, statement_s=60)
    async with nodes(store) as (engine,), contextlib.AsyncExitStack() as stack:
        connections = [await database.connect() for _ in range(2)]
        for each in connections:
            stack.push_async_callback(each.close)
        connection, looking = connections
        # Somebody who looks at an old state, as a backup does, keeps all that was there since.
        await stack.enter_async_context(looking.transaction(isolation="repeatable_read"))
        await looking.fetchval("SELECT count(*) FROM messages")
        await fill(engine)
        for key in (KEY, WARM):
            await post(engine, FREE, key=key, at_ms=NOW_MS - 2)
        # What is read of the catalogue the first time is not the call's.
        await measure(connection, WARM)
        return await measure(connection, KEY)


@pytest.mark.parametrize("fill", [claimed, acknowledged, popped, expired, swept, elsewhere])
@pytest.mark.parametrize("measure", [cost_of_claiming, cost_of_listing_the_free])
def test_what_is_free_costs_the_same_whatever_was_there_before(
    postgresql: PostgreSQL, fill: Fill, measure: Callable[[Connection, QueueKey], Awaitable[int]]
) -> None:
    costs = [asyncio.run(measured(postgresql.new_store(), each, measure)) for each in (nothing, fill)]
    assert costs[1] <= costs[0] + BLOCKS_MORE_MAX


@pytest.mark.parametrize("fill", [claimed, delayed, elsewhere])
def test_the_next_moment_costs_the_same_however_much_waits(postgresql: PostgreSQL, fill: Fill) -> None:
    costs = [asyncio.run(measured(postgresql.new_store(), each, cost_of_the_next_moment)) for each in (nothing, fill)]
    assert costs[1] <= costs[0] + BLOCKS_MORE_MAX


@pytest.mark.parametrize("fill", [acknowledged, popped, elsewhere, gone_elsewhere])
def test_a_listing_from_the_beginning_does_not_step_over_what_is_gone(postgresql: PostgreSQL, fill: Fill) -> None:
    costs = [asyncio.run(measured(postgresql.new_store(), each, cost_of_listing_all)) for each in (nothing, fill)]
    assert costs[1] <= costs[0] + BLOCKS_MORE_MAX


def test_listing_the_records_of_a_project_does_not_step_over_those_of_others(postgresql: PostgreSQL) -> None:
    async def cost(store: str, others: int) -> int:
        connection = await Database(store, connect_s=10, statement_s=60).connect()
        await connection.execute(SQL.put_record, "kind", "a", "mine", NOW_MS, None, b"1")
        rows = [("kind", f"b{number}", "theirs", NOW_MS, None, b"1") for number in range(others)]
        await connection.executemany(SQL.put_record, rows)
        listing = (SQL.list_records_of, NOW_MS, "kind", "a", "", limits.RECORDS_SCAN_ROWS_MAX, 10)
        assert len(await connection.fetch(*listing)) == 1
        looked = await blocks(connection, *listing)
        await connection.close()
        return looked

    costs = [asyncio.run(cost(postgresql.new_store(), others)) for others in (0, MANY)]
    assert costs[1] <= costs[0] + 5


def test_finding_deliveries_costs_the_same_whatever_is_idle_and_however_much_waits(postgresql: PostgreSQL) -> None:
    async def cost(store: str, idle: int, waiting: int) -> int:
        engine = PostgresqlEngine(store)
        await engine.start()
        subscriptions = [subscription(number) for number in range(idle + 3)]
        for each in subscriptions:
            await engine.put_subscription(each, revision=None, now_ms=NOW_MS)
        for each in subscriptions[idle:]:
            await post(engine, waiting, key=each.backlog, at_ms=NOW_MS - 100)
        await engine.close()
        connection = await Database(store, connect_s=10, statement_s=60).connect()
        assert len(await connection.fetch(SQL.due_backlogs, NOW_MS, 10, "", "")) == 3
        looked = await blocks(connection, SQL.due_backlogs, NOW_MS, 10, "", "")
        await connection.close()
        return looked

    costs = [asyncio.run(cost(postgresql.new_store(), *each)) for each in ((0, 1), (150, 1), (0, 1_000))]
    assert max(costs) <= min(costs) + BLOCKS_MORE_MAX


def subscription(number: int) -> Subscription:
    return Subscription(
        id=f"s{number:05}",
        queue=KEY,
        subscriber=f"http://{number}/",
        ttl_s=60,
        options={},
        confirmed=False,
        created_ms=NOW_MS,
        expires_ms=NOW_MS + 60_000,
    )


def place_of(key: QueueKey) -> tuple[str, str, str]:
    return key.project, key.kind, key.name

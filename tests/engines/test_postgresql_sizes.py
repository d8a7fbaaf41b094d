"""The tables of the PostgreSQL engine do not grow under a steady load."""

import asyncio
from typing import Final

import pytest

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.model import Ack, NewClaim, NewMessage, Once, Post, QueueKey, Subscription
from tests.engines.postgresql_server import PostgreSQL, nodes

KEY: Final = QueueKey("p", "q")
TABLES: Final = ("messages", "claims", "once", "places", "classes", "queues", "dropped", "records", "subscriptions")
ROUND_S: Final = 60
POSTS: Final = 8
AT_ONCE: Final = 250


async def rows(postgresql: PostgreSQL, store: str, table: str) -> int:
    """Return how many rows a table has."""
    return await postgresql.fetch_number(store, f"SELECT count(*) FROM sukkal.{table}")


async def one_round(engine: PostgresqlEngine, number: int) -> None:
    """Post as much as in every other round, work off half of it, and let the other half expire."""
    now_ms = 1_000_000 + number * ROUND_S * 1_000
    for part in range(POSTS):
        names = [f"{number:03}-{part}-{each:04}" for each in range(AT_ONCE)]
        messages = tuple(NewMessage(id=name, body=b"1" * 200, ttl_s=ROUND_S) for name in names)
        once = Once(key=f"{number}-{part}", fingerprint=b"f", expires_ms=now_ms + ROUND_S * 1_000)
        await engine.publish((Post(KEY, messages),), now_ms=now_ms, once=once)
    for part in range(POSTS // 2):
        new = NewClaim(id=f"c{number}-{part}", ttl_s=ROUND_S, grace_s=0)
        taken = await engine.claim(KEY, new, limit=AT_ONCE, now_ms=now_ms)
        await engine.settle(KEY, new.id, dict.fromkeys([each.id for each in taken], Ack()), now_ms=now_ms)
    while (await engine.sweep(now_ms=now_ms + ROUND_S * 1_000, limit=500)).more:
        pass


def test_tables_that_are_cleaned_up_stay_as_large_as_they_were(postgresql: PostgreSQL, store: str) -> None:
    async def scenario() -> None:
        sizes: list[int] = []
        async with nodes(store) as (engine,):
            for number in range(9):
                await one_round(engine, number)
                await postgresql.fetch_number(store, "VACUUM")
                size = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class AS c WHERE relname = 'messages'"
                sizes.append(await postgresql.fetch_number(store, size))
        for table in ("messages", "claims", "once", "classes"):
            assert await rows(postgresql, store, table) == 0, table
        assert max(sizes[3:]) <= sizes[2], sizes

    asyncio.run(scenario())


@pytest.mark.parametrize("contents_only", [False, True])
def test_nothing_is_left_of_contents_that_were_given_up(
    postgresql: PostgreSQL, store: str, *, contents_only: bool
) -> None:
    async def scenario() -> None:
        subscription = Subscription(
            id="s",
            queue=KEY,
            subscriber="http://x/",
            ttl_s=60,
            options={},
            confirmed=True,
            created_ms=0,
            expires_ms=60_000,
        )
        async with nodes(store) as (engine,):
            await engine.put_subscription(subscription, revision=None, now_ms=0)
            messages = tuple(NewMessage(id=str(number), body=b"1", ttl_s=60) for number in range(5))
            once = Once(key="k", fingerprint=b"f", expires_ms=60_000)
            posts = (Post(KEY, messages), Post(subscription.backlog, messages))
            await engine.publish(posts, now_ms=0, once=once)
            await engine.claim(KEY, NewClaim(id="c", ttl_s=60, grace_s=60), limit=2, now_ms=0)
            await engine.delete_queue(KEY, contents_only=contents_only)
            while (await engine.sweep(now_ms=60_000, limit=3)).more:
                pass
        left = {table: await rows(postgresql, store, table) for table in TABLES}
        kept = {"queues": 1, "places": 1} if contents_only else {}
        assert left == {**dict.fromkeys(TABLES, 0), **kept}

    asyncio.run(scenario())

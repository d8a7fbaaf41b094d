"""What the PostgreSQL engine does where calls meet, and where the database computes what the service also does."""

import asyncio
import contextlib
from typing import Final

import asyncpg
import pytest

from sukkal.engines.lifetimes import lifetime_class, longest_ms
from sukkal.engines.marks import mark_of
from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.postgresql.database import Connection, Database
from sukkal.engines.postgresql.statements import SQL
from sukkal.errors import ClaimNotFound
from sukkal.model import Ack, NewClaim, NewMessage, Once, Position, Post, QueueKey, Release, Subscription, View
from tests.engines.postgresql_server import held_up, nodes

KEY: Final = QueueKey("p", "q")
OTHER: Final = QueueKey("p", "other")
NOW_MS: Final = 1_000_000
EVERYTHING: Final = View(claimed=True, delayed=True)


def message(id_: str) -> NewMessage:
    return NewMessage(id=id_, body=b"1", ttl_s=3_600)


async def connected(store: str) -> Connection:
    return await Database(store, connect_s=10, statement_s=60).connect()


async def ids(engine: PostgresqlEngine) -> list[str]:
    page = await engine.browse(KEY, after=None, limit=100, view=EVERYTHING, now_ms=NOW_MS)
    return [each.id for each in page.messages]


def test_the_database_knows_the_same_classes_of_lifetimes(store: str) -> None:
    lifetimes = [
        *range(-5, 3_000),
        *range(0, 130_000_000, 777_777),
        *(1_000 * seconds for seconds in range(5_000)),
        *(1_000 * (1 << power) + add for power in range(40) for add in (-1_000, -1, 0, 1, 1_000)),
        *(3_600_000 * hours for hours in (1, 27, 336, 61_213_128)),
    ]

    async def scenario() -> None:
        async with nodes(store):
            connection = await connected(store)
            rows = await connection.fetch(
                "SELECT lifetime_class(w), longest_ms(lifetime_class(w)) "
                "FROM unnest($1::bigint[]) WITH ORDINALITY AS w (w, nth) ORDER BY nth",
                lifetimes,
            )
            assert [row[0] for row in rows] == [lifetime_class(each) for each in lifetimes]
            assert [row[1] for row in rows] == [longest_ms(lifetime_class(each)) for each in lifetimes]
            await connection.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("name", ["clear_queue", "remove_queue"])
def test_who_waits_for_a_queue_that_is_given_up_meanwhile_finds_what_is_there_then(store: str, name: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            await engine.publish((Post(KEY, (message("before"),)),), now_ms=NOW_MS)
            other = await connected(store)
            transaction = other.transaction()
            await transaction.start()
            await other.execute(getattr(SQL, name), KEY.project, KEY.kind, KEY.name, -1 - mark_of(KEY))
            post = await held_up(other, engine.publish((Post(KEY, (message("after"),)),), now_ms=NOW_MS))
            await transaction.commit()
            published = await post
            page = await engine.browse(KEY, after=None, limit=9, view=EVERYTHING, now_ms=NOW_MS)
            assert [each.id for each in page.messages] == ["after"]
            assert published.epochs == (page.epoch,)
            await other.close()

    asyncio.run(scenario())


def test_contents_that_come_after_others_have_greater_numbers_however_many_those_had(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            for start in range(0, 9_000, 1_000):
                many = tuple(message(f"{number:05}") for number in range(start, start + 1_000))
                await engine.publish((Post(KEY, many),), now_ms=NOW_MS)
            before = await engine.browse(KEY, after=None, limit=1, view=EVERYTHING, now_ms=NOW_MS)
            for contents_only in (True, False):
                await engine.delete_queue(KEY, contents_only=contents_only)
                between = await engine.browse(KEY, after=None, limit=1, view=EVERYTHING, now_ms=NOW_MS)
                assert before.last < between.dropped <= between.last
                published = await engine.publish((Post(KEY, (message("new"),)),), now_ms=NOW_MS)
                assert between.last < published.sequences[0][0]
                page = await engine.browse(
                    KEY, after=Position(NOW_MS, before.last), limit=9, view=EVERYTHING, now_ms=NOW_MS
                )
                assert [each.id for each in page.messages] == ["new"]
                assert page.dropped < page.epoch
                before = page

    asyncio.run(scenario())


def test_nothing_is_stored_for_a_subscription_that_has_ended(store: str) -> None:
    async def scenario() -> None:
        subscription = Subscription(
            id="s",
            queue=KEY,
            subscriber="http://x/",
            ttl_s=60,
            options={},
            confirmed=True,
            created_ms=NOW_MS,
            expires_ms=NOW_MS + 60_000,
        )
        async with nodes(store) as (engine,):
            await engine.put_subscription(subscription, revision=None, now_ms=NOW_MS)
            for at_ms, stored in ((NOW_MS + 59_999, True), (NOW_MS + 60_000, False)):
                posts = [Post(key, (message(str(at_ms)),)) for key in (KEY, subscription.backlog)]
                published = await engine.publish(posts, now_ms=at_ms)
                assert [bool(epoch) for epoch in published.epochs] == [True, stored]
                assert [bool(each[0]) for each in published.sequences] == [True, stored]

    asyncio.run(scenario())


def test_of_two_settlements_of_a_claim_at_once_the_second_finds_it_ended(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            await engine.publish((Post(KEY, (message("1"), message("2"))),), now_ms=NOW_MS)
            await engine.claim(KEY, NewClaim(id="c", ttl_s=60, grace_s=60), limit=2, now_ms=NOW_MS)
            first, second, third = await asyncio.gather(
                engine.settle(KEY, "c", {"1": Ack()}, now_ms=NOW_MS, rest=Release()),
                engine.settle(KEY, "c", {"2": Ack()}, now_ms=NOW_MS),
                engine.extend(KEY, "c", ttl_s=60, grace_s=60, now_ms=NOW_MS),
                return_exceptions=True,
            )
            assert not isinstance(first, BaseException)
            assert (type(second), type(third)) == (ClaimNotFound, ClaimNotFound)
            assert await ids(engine) == ["2"]

    asyncio.run(scenario())


def test_of_two_posts_at_once_under_one_idempotency_key_one_is_stored(store: str) -> None:
    async def scenario() -> None:
        here, there = PostgresqlEngine(store), PostgresqlEngine(store)
        await here.start()
        await there.start()
        once = Once(key="k", fingerprint=b"f", expires_ms=NOW_MS + 1_000)
        posts = [
            engine.publish((Post(KEY, (message(f"{number}-{name}"),)),), now_ms=NOW_MS, once=once)
            for number in range(3)
            for name, engine in (("here", here), ("there", there))
        ]
        done = await asyncio.gather(*posts)
        assert sorted(each.repeated for each in done) == [False] + 5 * [True]
        assert len({each.ids for each in done}) == 1
        assert await ids(here) == list(done[0].ids[0])
        await here.close()
        await there.close()

    asyncio.run(scenario())


def test_a_step_that_is_in_anothers_way_is_tried_again_alone(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store, lanes=1) as (engine,):
            await engine.publish((Post(KEY, (message("1"),)),), now_ms=NOW_MS)
            other = await connected(store)
            transaction = other.transaction()
            await transaction.start()
            await other.execute("SELECT 1 FROM sukkal.places FOR UPDATE")
            # The first step is done when the second one waits, and must not be done again.
            first = engine.put_queue(OTHER, {"a": 1}, revision=None, now_ms=NOW_MS)
            second = engine.put_queue(KEY, {"a": 1}, revision=1, now_ms=NOW_MS)
            calls = await held_up(other, asyncio.gather(first, second))
            # The engine's transaction holds the mark of the queue, so this closes the ring.
            with contextlib.suppress(asyncpg.DeadlockDetectedError):
                await other.execute("SELECT 1 FROM sukkal.marks WHERE mark = $1 FOR UPDATE", -1 - mark_of(KEY))
            await transaction.rollback()
            assert [queue.revision for queue in await calls] == [1, 2]
            await other.close()

    asyncio.run(scenario())


def test_what_a_node_whose_clock_is_behind_gives_back_is_found(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            await engine.publish((Post(KEY, (message("1"),)),), now_ms=NOW_MS - 2_000)
            # Nothing more is free, so the next claim begins behind this moment.
            await engine.claim(KEY, NewClaim(id="c", ttl_s=60, grace_s=60), limit=5, now_ms=NOW_MS)
            await engine.extend(KEY, "c", ttl_s=0, grace_s=60, now_ms=NOW_MS - 1_000)
            taken = await engine.claim(KEY, NewClaim(id="d", ttl_s=60, grace_s=60), limit=5, now_ms=NOW_MS)
            assert [each.id for each in taken] == ["1"]
            await engine.publish((Post(KEY, (message("2"),)),), now_ms=NOW_MS - 1_500)
            taken = await engine.claim(KEY, NewClaim(id="e", ttl_s=60, grace_s=60), limit=5, now_ms=NOW_MS)
            assert [each.id for each in taken] == ["2"]

    asyncio.run(scenario())


def test_a_node_of_another_version_keeps_its_own_functions(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store) as (engine,):
            await engine.publish((Post(KEY, (message("1"),)),), now_ms=NOW_MS)
            other = await connected(store)
            # What an older version left, and what a newer one brings along.
            await other.execute('CREATE SCHEMA "sukkal_older"; CREATE SCHEMA "sukkal_newer"')
            await other.execute("INSERT INTO sukkal.versions (version, works_with) VALUES (999, 1)")
            await other.execute("ALTER TABLE sukkal.messages ADD COLUMN added integer NOT NULL DEFAULT 0")
            again = PostgresqlEngine(store)
            await again.start()
            for each in (engine, again):
                await each.publish((Post(KEY, (message(f"{id(each)}"),)),), now_ms=NOW_MS)
                new = NewClaim(id=f"{id(each)}", ttl_s=60, grace_s=60)
                assert len(await each.claim(KEY, new, limit=1, now_ms=NOW_MS)) == 1
            assert len(await ids(again)) == 3
            await other.close()
        await again.close()

    asyncio.run(scenario())

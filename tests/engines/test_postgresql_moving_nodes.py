"""Queues of one PostgreSQL database that move while several nodes use them."""

import asyncio
from collections.abc import Callable
from typing import Final

import pytest

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.errors import ClaimNotFound, QueueMoved
from sukkal.model import Ack, NewClaim, NewMessage, Post, QueueKey, RecordKey, Release, View
from sukkal.store import Engine
from tests.engines.postgresql_server import PostgreSQL, nodes

KEY: Final = QueueKey("p", "q")
EVERYTHING: Final = View(claimed=True, delayed=True)
NOW_MS: Final = 1_000_000


async def post(node: Engine, id_: str, key: QueueKey = KEY) -> None:
    await node.publish([Post(key, (NewMessage(id=id_, body=b"1", ttl_s=3_600),))], now_ms=NOW_MS)


async def use(node: PostgresqlEngine, name: str, done: set[str], settled: set[str]) -> None:
    """Post, and settle some of it, until the queue is held; note what was acknowledged."""
    number = 0
    try:
        while True:
            number += 1
            await post(node, f"{name}-{number}")
            done.add(f"{name}-{number}")
            if number % 3 == 0:
                settled.update(await settle_some(node, f"{name}-{number}"))
    except QueueMoved as refused:
        assert refused.held  # noqa: PT017 - it is what ends the loop


async def settle_some(node: PostgresqlEngine, claim_id: str) -> list[str]:
    taken = await node.claim(KEY, NewClaim(id=claim_id, ttl_s=60, grace_s=60), limit=2, now_ms=NOW_MS)
    first = [each.id for each in taken[:1]]
    if first:
        await node.settle(KEY, claim_id, {first[0]: Ack()}, now_ms=NOW_MS, rest=Release())
    return first


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - the others have the loop's turns
        await asyncio.sleep(0)


async def copy(source: PostgresqlEngine, target: PostgresqlEngine, *, sequence: int, change: int) -> tuple[int, int]:
    """Bring over what is new behind two places and return those behind it."""
    frame = await source.frame(KEY)
    assert frame is not None
    while sequence <= frame.last:
        stored = await source.stored_after(KEY, sequence, limit=50, now_ms=NOW_MS)
        if not stored:
            break
        await target.stage(frame, stored=stored, now_ms=NOW_MS)
        sequence = stored[-1].message.sequence
    found = await source.changes(KEY, change, limit=50, now_ms=NOW_MS)
    await target.stage(frame, stored=found.stored, gone=found.gone, now_ms=NOW_MS)
    return sequence, found.next or change


async def ids(engine: Engine) -> set[str]:
    page = await engine.browse(KEY, after=None, limit=10_000, view=EVERYTHING, now_ms=NOW_MS)
    return {each.id for each in page.messages}


def test_what_any_node_was_told_is_done_moves_and_nothing_comes_after_the_hold(
    store: str, postgresql: PostgreSQL
) -> None:
    async def scenario() -> None:
        async with nodes(store, 3) as (mover, *others), nodes(other) as (target,):
            await post(mover, "first")
            done, settled = {"first"}, set[str]()
            users = [
                asyncio.ensure_future(use(node, f"{nth}-{lane}", done, settled))
                for nth, node in enumerate(others)
                for lane in range(4)
            ]
            await mover.follow(KEY)
            places = await copy(mover, target, sequence=-1, change=0)
            await until(lambda: len(done) > 200)
            places = await copy(mover, target, sequence=places[0], change=places[1])
            await mover.hold([KEY], held=True)
            held = await ids(mover)
            await asyncio.wait_for(asyncio.gather(*users), 60)
            assert held == await ids(mover)
            while (await mover.changes(KEY, places[1], limit=1, now_ms=NOW_MS)).next is not None:
                places = await copy(mover, target, sequence=places[0], change=places[1])
            await target.open_staged([KEY], now_ms=NOW_MS)
            assert await ids(target) == held
            assert held == done - settled
            assert settled

    other = postgresql.new_store()
    asyncio.run(scenario())
    postgresql.drop_database(other)


def test_a_queue_that_does_not_exist_is_made_before_the_hold_or_not_at_all(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store, 3) as (mover, *others):
            for number in range(20):
                key = QueueKey("p", f"q{number}")
                posts = [asyncio.ensure_future(post(node, "m", key)) for node in others]
                await asyncio.sleep(0)
                await mover.hold([key], held=True)
                there = await mover.get_queue(key)
                outcomes = await asyncio.gather(*posts, return_exceptions=True)
                refused = [isinstance(each, QueueMoved) for each in outcomes]
                assert all(refused) == (there is None)
                assert await mover.get_queue(key) == there

    asyncio.run(scenario())


def test_calls_for_other_queues_go_on_beside_those_for_one_that_moved(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store, 2, lanes=1) as (mover, node):
            await post(mover, "old")
            await mover.hold([KEY], held=True)
            await mover.give_up([KEY], until_ms=NOW_MS + 60_000)
            keys = [KEY, *(QueueKey("p", f"q{number}") for number in range(9)), KEY]
            posted = await asyncio.gather(*(post(node, "m", key) for key in keys), return_exceptions=True)
            assert [isinstance(each, QueueMoved) for each in posted] == [key == KEY for key in keys]
            looked = await asyncio.gather(*(node.get_queue(key) for key in keys), return_exceptions=True)
            assert [isinstance(each, QueueMoved) for each in looked] == [key == KEY for key in keys]

    asyncio.run(scenario())


def test_nobody_notes_changes_of_queues_that_do_not_move(store: str, postgresql: PostgreSQL) -> None:
    async def scenario() -> None:
        async with nodes(store) as (node,):
            other = QueueKey("p", "other")
            for key in (KEY, other):
                await post(node, "a", key)
            await node.follow(KEY)
            new = NewMessage(id="b", body=b"1", ttl_s=3_600)
            await node.publish([Post(key, (new,)) for key in (KEY, other)], now_ms=NOW_MS)
            found = await node.changes(KEY, 0, limit=9, now_ms=NOW_MS)
            assert [each.message.id for each in found.stored] == ["b"]
            assert await postgresql.fetch_number(store, "SELECT count(*) FROM sukkal.changed") == 1
            await node.hold([KEY], held=False)
            await post(node, "c")
            assert await postgresql.fetch_number(store, "SELECT count(*) FROM sukkal.changed") == 0

    asyncio.run(scenario())


def test_a_node_that_sweeps_lets_the_mover_know_what_is_gone(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store, 2) as (mover, sweeper):
            await post(mover, "a")
            await mover.follow(KEY)
            later_ms = NOW_MS + 3_600_000
            assert (await sweeper.sweep(now_ms=later_ms, limit=10)).removed >= 1
            assert (await mover.changes(KEY, 0, limit=9, now_ms=later_ms)).gone == ("a",)

    asyncio.run(scenario())


@pytest.mark.parametrize(("old", "new"), [(None, b"new"), (b"old", b"new"), (b"old", None)])
def test_of_several_nodes_that_swap_a_record_at_once_one_succeeds(
    store: str, old: bytes | None, new: bytes | None
) -> None:
    async def scenario() -> None:
        async with nodes(store, 4) as engines:
            for number in range(10):
                key = RecordKey("kind", "p", f"r{number}")
                if old is not None:
                    await engines[0].put_record(key, old, now_ms=NOW_MS)
                swaps = (
                    engine.swap_record(key, old, new and new + str(nth).encode(), now_ms=NOW_MS)
                    for nth, engine in enumerate(engines)
                )
                assert sorted(await asyncio.gather(*swaps)) == [False, False, False, True]

    asyncio.run(scenario())


def test_a_held_claim_is_settled_by_nobody_until_the_queue_is_let_go(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store, 2) as (mover, node):
            await post(mover, "a")
            await node.claim(KEY, NewClaim(id="c", ttl_s=60, grace_s=60), limit=1, now_ms=NOW_MS)
            await mover.hold([KEY], held=True)
            with pytest.raises(QueueMoved):
                await node.settle(KEY, "c", {"a": Ack()}, now_ms=NOW_MS)
            await mover.hold([KEY], held=False)
            await node.settle(KEY, "c", {"a": Ack()}, now_ms=NOW_MS, rest=Ack())
            with pytest.raises(ClaimNotFound):
                await node.extend(KEY, "c", ttl_s=60, grace_s=60, now_ms=NOW_MS)

    asyncio.run(scenario())

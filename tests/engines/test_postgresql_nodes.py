"""Several nodes with one PostgreSQL database: what one does, all the others see, in one order."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from typing import Final

import pytest

from sukkal.errors import RevisionConflict, StoreUnavailable
from sukkal.model import Ack, NewClaim, NewMessage, Position, Post, QueueKey, Release, Subscription, View
from sukkal.store import Engine, Shared
from tests.engines.postgresql_server import PostgreSQL, nodes

KEY: Final = QueueKey("p", "q")
OTHER: Final = QueueKey("p", "other")
EVERYTHING: Final = View(claimed=True, delayed=True)
NOW_MS: Final = 1_000_000


def message(id_: str) -> NewMessage:
    return NewMessage(id=id_, body=b"1", ttl_s=3_600)


async def write(engine: Engine, name: str, count: int, *, to: tuple[QueueKey, ...] = (KEY,)) -> None:
    for number in range(count):
        new = message(f"{name}-{number:04}")
        await engine.publish([Post(key, (new,)) for key in to], now_ms=NOW_MS)


async def follow(engine: Engine, expected: int) -> list[tuple[int, str]]:
    """Read by position while others write, and return what was read."""
    seen: list[tuple[int, str]] = []
    after = Position(0, 0)
    while len(seen) < expected:
        page = await engine.browse(KEY, after=after, limit=7, view=EVERYTHING, now_ms=NOW_MS)
        seen += [(each.sequence, each.id) for each in page.messages]
        if page.messages:
            after = page.next or after
    return seen


def test_who_reads_by_position_skips_nothing_that_any_node_commits(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store, 3) as (first, second, third):
            writers = [
                write(node, f"{name}{lane}", 40)
                for name, node in (("first", first), ("second", second))
                for lane in range(6)
            ]
            both = write(second, "both", 40, to=(OTHER, KEY))
            reader = asyncio.ensure_future(follow(third, 13 * 40))
            await asyncio.wait_for(asyncio.gather(reader, *writers, both), 60)
            seen = reader.result()
            sequences = [sequence for sequence, _ in seen]
            assert len({id_ for _, id_ in seen}) == 13 * 40
            assert sequences == list(range(sequences[0], sequences[0] + 13 * 40)), "there is a gap"
            for writer in {id_.rpartition("-")[0] for _, id_ in seen}:
                its = [id_ for _, id_ in seen if id_.startswith(f"{writer}-")]
                assert its == sorted(its), "one writer's messages are out of order"

    asyncio.run(scenario())


def test_no_message_is_in_two_live_claims_of_different_nodes(store: str) -> None:
    async def take(node: Engine, name: str) -> list[str]:
        taken: list[str] = []
        for number in range(25):
            new = NewClaim(id=f"{name}-{number}", ttl_s=60, grace_s=60)
            found = await node.claim(KEY, new, limit=3, now_ms=NOW_MS)
            taken += [each.id for each in found]
            if number % 3 == 0 and found:
                # What is given back is found again.
                await node.settle(KEY, new.id, {found[0].id: Release()}, now_ms=NOW_MS)
                taken.remove(found[0].id)
        return taken

    async def scenario() -> None:
        async with nodes(store, 2) as engines:
            await asyncio.gather(write(engines[0], "a", 150), write(engines[1], "b", 150))
            lists = await asyncio.gather(
                *(take(engine, f"{number}{lane}") for number, engine in enumerate(engines) for lane in range(4))
            )
            taken = [id_ for each in lists for id_ in each]
            assert len(taken) == len(set(taken)) == 300

    asyncio.run(scenario())


def test_every_node_sees_at_once_what_another_has_done(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store, 2) as (here, there):
            await here.put_queue(KEY, {"a": 1}, revision=None, now_ms=NOW_MS)
            queue = await there.get_queue(KEY)
            assert queue is not None
            await there.put_queue(KEY, {"a": 2}, revision=queue.revision, now_ms=NOW_MS)
            with pytest.raises(RevisionConflict):
                await here.put_queue(KEY, {"a": 3}, revision=queue.revision, now_ms=NOW_MS)
            await here.publish((Post(KEY, (message("m"),)),), now_ms=NOW_MS)
            taken = await there.claim(KEY, NewClaim(id="c", ttl_s=60, grace_s=60), limit=5, now_ms=NOW_MS)
            assert [each.id for each in taken] == ["m"]
            await here.settle(KEY, "c", {"m": Ack()}, now_ms=NOW_MS)
            assert await there.get_messages(KEY, ["m"], now_ms=NOW_MS) == ()
            await there.delete_queue(KEY)
            assert await here.get_queue(KEY) is None

    asyncio.run(scenario())


def test_a_queue_that_two_nodes_make_at_once_is_one_queue(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store, 2) as engines:
            for number in range(12):
                key = QueueKey("p", f"new{number}")
                posts = [
                    engine.publish((Post(key, (message(str(n)),)),), now_ms=NOW_MS) for n, engine in enumerate(engines)
                ]
                done = await asyncio.gather(*posts)
                assert len({each.epochs for each in done}) == 1
                page = await engines[0].browse(key, after=None, limit=9, view=EVERYTHING, now_ms=NOW_MS)
                assert len(page.messages) == 2

    asyncio.run(scenario())


def test_nodes_that_clear_and_post_and_subscribe_at_once_end_in_peace(store: str) -> None:
    """Whatever comes first: nobody waits in a ring for long, and all calls are done."""

    def subscription(number: int) -> Subscription:
        return Subscription(
            id=f"s{number}",
            queue=KEY,
            subscriber=f"http://{number}/",
            ttl_s=60,
            options={},
            confirmed=True,
            created_ms=NOW_MS,
            expires_ms=NOW_MS + 60_000,
        )

    async def repeat(times: int, call: Callable[[int], Awaitable[object]]) -> None:
        for number in range(times):
            await call(number)

    async def scenario() -> None:
        async with nodes(store, 2) as (here, there):
            backlogs = [subscription(number).backlog for number in range(8)]
            await asyncio.wait_for(
                asyncio.gather(
                    *(write(node, name, 20, to=(OTHER, KEY, *backlogs)) for name, node in (("a", here), ("b", there))),
                    *(write(node, name, 20, to=(KEY, OTHER)) for name, node in (("c", here), ("d", there))),
                    repeat(8, lambda number: here.delete_queue(KEY, contents_only=True)),
                    repeat(8, lambda number: there.delete_queue(OTHER)),
                    repeat(
                        8, lambda number: there.put_subscription(subscription(number), revision=None, now_ms=NOW_MS)
                    ),
                    repeat(8, lambda number: here.sweep(now_ms=NOW_MS, limit=50)),
                ),
                60,
            )
            await write(here, "last", 1)
            page = await there.browse(KEY, after=None, limit=1_000, view=EVERYTHING, now_ms=NOW_MS)
            assert page.messages[-1].id == "last-0000"
            found = await here.list_subscriptions(KEY, after="", limit=99, now_ms=NOW_MS)
            assert len(found) == 8

    asyncio.run(scenario())


class Heard:
    """What a node is told of the others, and somebody who waits for it."""

    def __init__(self) -> None:
        self.told: list[frozenset[QueueKey] | None] = []
        self._more = asyncio.Event()

    def __call__(self, keys: Collection[QueueKey] | None) -> None:
        self.told.append(None if keys is None else frozenset(keys))
        self._more.set()

    async def until(self, wanted: Callable[["Heard"], bool]) -> None:
        """Wait until something is true of what was told."""
        while not wanted(self):
            self._more.clear()
            await asyncio.wait_for(self._more.wait(), 60)

    def hears(self, key: QueueKey) -> bool:
        return any(keys is not None and key in keys for keys in self.told)


def test_a_node_hears_where_others_post_and_give_back_and_not_what_it_does_itself(store: str) -> None:
    async def scenario() -> None:
        async with nodes(store, 2) as (here, there):
            assert isinstance(here, Shared)
            assert isinstance(there, Shared)
            ears = {here: Heard(), there: Heard()}
            for node, heard in ears.items():
                node.hints(heard)
            for heard in ears.values():
                await heard.until(lambda heard: None in heard.told)
            await here.publish([Post(KEY, (message("1"),)), Post(OTHER, (message("1"),))], now_ms=NOW_MS)
            await ears[there].until(lambda heard: heard.hears(KEY) and heard.hears(OTHER))
            await there.claim(KEY, NewClaim(id="c", ttl_s=60, grace_s=60), limit=1, now_ms=NOW_MS)
            await there.settle(KEY, "c", {"1": Release()}, now_ms=NOW_MS)
            await ears[here].until(lambda heard: heard.hears(KEY))
            assert not ears[here].hears(OTHER)
            many = [Post(QueueKey("p" * 30, f"{number}" * 30), (message("1"),)) for number in range(300)]
            ears[there].told.clear()
            await here.publish(many, now_ms=NOW_MS)
            await ears[there].until(lambda heard: None in heard.told)

    asyncio.run(scenario())


def test_a_node_that_could_not_hear_for_a_while_is_told_to_look_everywhere(postgresql: PostgreSQL, store: str) -> None:
    async def scenario() -> None:
        async with nodes(store, 2) as (here, there):
            heard = Heard()
            assert isinstance(here, Shared)
            assert isinstance(there, Shared)
            here.hints(heard)
            there.hints(Heard())
            await heard.until(lambda heard: None in heard.told)
            heard.told.clear()
            await asyncio.to_thread(postgresql.cut, store)
            await heard.until(lambda heard: None in heard.told)
            number = 0
            while not heard.hears(KEY):
                number += 1
                with contextlib.suppress(StoreUnavailable):
                    await write(there, f"again{number}", 1)

    asyncio.run(scenario())

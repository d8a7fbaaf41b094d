"""Much work is done by the SQLite engine in parts: others have their turns between them, and nobody sees half of it."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal import limits
from sukkal.engines.sqlite import SqliteEngine
from sukkal.errors import IdempotencyConflict, StoreUnavailable
from sukkal.model import NewMessage, Once, Post, QueueKey, View

QUEUES: Final = [QueueKey("p", f"q{number}") for number in range(4)]
EACH: Final = 300
PARTS: Final = len(QUEUES) * EACH // limits.GROUP_COMMIT_ROWS_AT_ONCE
OTHER: Final = QueueKey("other", "q")
NOW_MS: Final = 1_000


def large_post(*, first: str = "m") -> list[Post]:
    """Return a post to several queues that is too much for one turn."""
    messages = tuple([NewMessage(id=f"{first}{number:04}", body=b"1", ttl_s=60) for number in range(EACH)])
    return [Post(key, messages) for key in QUEUES]


def small_post(name: str) -> list[Post]:
    return [Post(OTHER, (NewMessage(id=name, body=b"1", ttl_s=60),))]


async def held(engine: SqliteEngine, key: QueueKey) -> int:
    page = await engine.browse(key, after=None, limit=EACH + 1, view=View(), now_ms=NOW_MS)
    return len(page.messages)


def test_a_large_post_leaves_turns_to_others_and_is_seen_by_nobody_until_all_of_it_is_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        await engine.publish(small_post("before"), now_ms=NOW_MS)
        parts = Parts(engine)
        work = asyncio.ensure_future(engine.publish(large_post(), now_ms=NOW_MS))
        seen = set()
        while not work.done():
            # The last queue first: once its messages are there, those of the others are.
            last, first = await held(engine, QUEUES[-1]), await held(engine, QUEUES[0])
            seen.add((last, first))
            await asyncio.sleep(0)
        assert seen <= {(0, 0), (0, EACH), (EACH, EACH)}
        assert await held(engine, OTHER) == 1
        assert len(parts.rows()) > PARTS
        assert max(parts.rows()) <= limits.GROUP_COMMIT_ROWS_AT_ONCE + len(QUEUES)
        published = work.result()
        assert [len(each) for each in published.sequences] == [EACH] * len(QUEUES)
        assert [await held(engine, key) for key in QUEUES] == [EACH] * len(QUEUES)
        await engine.close()

    asyncio.run(scenario())


class Parts:
    """Counts the rows that an engine writes in each turn of the event loop, from now on."""

    def __init__(self, engine: SqliteEngine) -> None:
        self._changes = engine._database.writer.total_changes
        self._marks: list[int] = []
        self._part = engine._commits._part
        engine._commits._part = self._counted  # type: ignore[method-assign, assignment]

    def _counted(self, *arguments: Any) -> None:
        # Before a part: behind the last one the connection is the commit's.
        self._marks.append(self._changes())
        self._part(*arguments)

    def rows(self) -> list[int]:
        """Return the rows of each turn; nothing is to be under way."""
        return [after - before for before, after in pairwise([*self._marks, self._changes()])]


def test_many_small_posts_take_several_turns_of_one_transaction(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        parts = Parts(engine)
        count = 3 * limits.GROUP_COMMIT_ROWS_AT_ONCE
        await asyncio.gather(*[engine.publish(small_post(str(each)), now_ms=NOW_MS) for each in range(count)])
        assert 3 <= len(parts.rows()) <= 6
        assert max(parts.rows()) <= limits.GROUP_COMMIT_ROWS_AT_ONCE + 2
        await engine.close()

    asyncio.run(scenario())


def test_what_is_posted_during_a_large_post_comes_after_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        large = asyncio.ensure_future(engine.publish(large_post(), now_ms=NOW_MS))
        for _ in range(PARTS):
            await asyncio.sleep(0)
        small = await engine.publish(small_post("after"), now_ms=NOW_MS)
        assert large.done()
        assert small.sequences[0][0] > large.result().sequences[-1][-1]
        await engine.close()

    asyncio.run(scenario())


def test_a_large_post_that_meets_a_defect_in_its_transaction_leaves_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()

        def defect() -> None:
            raise RuntimeError

        large = asyncio.ensure_future(engine.publish(large_post(), now_ms=NOW_MS))
        await asyncio.sleep(0)
        outcomes = await asyncio.gather(large, engine._commits.run(defect), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
        assert [await held(engine, key) for key in QUEUES] == [0] * len(QUEUES)
        await engine.publish(large_post(), now_ms=NOW_MS)
        assert [await held(engine, key) for key in QUEUES] == [EACH] * len(QUEUES)
        await engine.close()

    asyncio.run(scenario())


def test_the_parts_of_a_large_post_do_not_count_as_stalled(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        work, now_ms, stalled = asyncio.ensure_future(engine.publish(large_post(), now_ms=NOW_MS)), 0, list[int]()
        while not work.done():
            await asyncio.sleep(0)
            now_ms += 10_000
            stalled.append(engine.stalled_ms(now_ms))
        assert stalled.count(0) > PARTS
        await engine.close()

    asyncio.run(scenario())


def test_a_large_post_is_done_before_the_engine_closes(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        work = asyncio.ensure_future(engine.publish(large_post(), now_ms=NOW_MS))
        await asyncio.sleep(0)
        await engine.close()
        assert (await work).epochs

    asyncio.run(scenario())


def test_a_large_post_under_a_key_that_stands_for_another_one_stores_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        for fingerprint, first in ((b"f", "m"), (b"f", "n")):
            once = Once(key="k", fingerprint=fingerprint, expires_ms=NOW_MS + 1)
            await engine.publish(large_post(first=first), now_ms=NOW_MS, once=once)
        once = Once(key="k", fingerprint=b"g", expires_ms=NOW_MS + 1)
        with pytest.raises(IdempotencyConflict):
            await engine.publish(large_post(first="o"), now_ms=NOW_MS, once=once)
        assert [await held(engine, key) for key in QUEUES] == [EACH] * len(QUEUES)
        await engine.close()

    asyncio.run(scenario())

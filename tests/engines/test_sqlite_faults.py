"""What the SQLite engine does when its database does not do what it should."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import PIPE
from typing import Final

import pytest

from sukkal.engines.sqlite import SqliteEngine
from sukkal.errors import StoreUnavailable
from sukkal.log_fields import log_fields, set_log_fields
from sukkal.model import NewMessage, Post, QueueKey, Subscription, View

KEY = QueueKey("p", "q")

# In a process of its own: the locks of a process do not keep itself out.
HOLD: Final = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
database.execute("ROLLBACK")
"""


def hold_write_lock(file: Path) -> "subprocess.Popen[str]":
    """Return a program that holds the database's write lock until it is told a line."""
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(file)], stdin=PIPE, stdout=PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def post(name: str) -> tuple[Post]:
    return (Post(KEY, (NewMessage(id=name, body=b"1", ttl_s=60),)),)


async def listed(engine: SqliteEngine) -> list[str]:
    page = await engine.browse(KEY, after=None, limit=20, view=View(), now_ms=1)
    return [message.id for message in page.messages]


def test_while_another_program_holds_the_write_lock_writes_fail_reads_go_on_and_it_heals(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        await engine.publish(post("before"), now_ms=1)
        other = hold_write_lock(tmp_path / "messages.sqlite3")
        writes = await asyncio.gather(
            *(engine.publish(post(f"during-{number}"), now_ms=1) for number in range(5)), return_exceptions=True
        )
        assert {type(outcome) for outcome in writes} == {StoreUnavailable}
        assert await listed(engine) == ["before"]
        other.communicate("release\n", timeout=30)
        await engine.publish(post("after"), now_ms=1)
        assert await listed(engine) == ["before", "after"]
        await engine.close()

    asyncio.run(scenario())


def test_a_transaction_that_fails_is_told_in_the_name_of_no_request_since_it_was_for_many(tmp_path: Path) -> None:
    told: list[Mapping[str, str]] = []

    class Memory(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(dict(log_fields()))

    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        other = hold_write_lock(tmp_path / "messages.sqlite3")
        set_log_fields({"request_id": "req-1", "project": "p"})
        with pytest.raises(StoreUnavailable):
            await engine.publish(post("during"), now_ms=1)
        other.communicate("release\n", timeout=30)
        await engine.close()

    memory = Memory()
    logging.getLogger("sukkal.sqlite").addHandler(memory)
    asyncio.run(scenario())
    logging.getLogger("sukkal.sqlite").removeHandler(memory)
    assert told == [{}]


def test_a_subscription_whose_transaction_failed_is_listed_by_nobody(tmp_path: Path) -> None:
    def subscription(id_: str) -> Subscription:
        return Subscription(
            id=id_,
            queue=KEY,
            subscriber=f"http://{id_}/",
            ttl_s=60,
            options={},
            confirmed=False,
            created_ms=1,
            expires_ms=60_001,
        )

    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()

        async def ids() -> list[str]:
            return [each.id for each in await engine.list_subscriptions(KEY, after="", limit=9, now_ms=1)]

        async def fail() -> None:
            def defect() -> None:
                raise RuntimeError

            await engine._commits.run(defect)

        await engine.put_subscription(subscription("a"), revision=None, now_ms=1)
        assert await ids() == ["a"]
        writes = (
            engine.put_subscription(subscription("b"), revision=None, now_ms=1),
            engine.delete_subscription(KEY, "a"),
            fail(),
        )
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
        assert await ids() == ["a"]
        await engine.put_subscription(subscription("b"), revision=None, now_ms=1)
        assert await ids() == ["a", "b"]
        await engine.close()

    asyncio.run(scenario())


def test_writes_that_wait_without_any_being_done_count_as_stalled(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        assert engine.stalled_ms(1_000) == 0
        waiting = asyncio.ensure_future(engine.publish(post("one"), now_ms=1))
        await asyncio.sleep(0)
        # The loop has not come to the commit yet: seen waiting now, and seen waiting nine seconds later.
        assert engine.stalled_ms(2_000) == 0
        assert engine.stalled_ms(11_000) == 9_000
        await waiting
        assert engine.stalled_ms(20_000) == 0
        await engine.close()

    asyncio.run(scenario())


def test_a_closed_engine_takes_no_writes(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        await engine.close()
        with pytest.raises(StoreUnavailable):
            await engine.publish(post("late"), now_ms=1)

    asyncio.run(scenario())


def test_what_was_taken_before_closing_is_done(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        writes = [asyncio.ensure_future(engine.publish(post(str(number)), now_ms=1)) for number in range(20)]
        await asyncio.sleep(0)
        await engine.close()
        await asyncio.gather(*writes)
        again = SqliteEngine(tmp_path)
        await again.start()
        assert len(await listed(again)) == 20
        await again.close()

    asyncio.run(scenario())

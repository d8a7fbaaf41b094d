"""The SQLite engine takes over the data of every older schema."""

import asyncio
from pathlib import Path
from typing import Final

import apsw
import pytest

from sukkal.engines.sqlite import SqliteEngine
from sukkal.engines.sqlite.statements import migrations
from sukkal.errors import QueueMoved
from sukkal.model import NewClaim, NewMessage, Post, QueueKey, RecordKey, Usage

KEY: Final = QueueKey("p", "q")
IDS: Final = ("1", "2", "3", "4")
NOW_MS: Final = 1_000_000


def schema_version(directory: Path) -> int:
    connection = apsw.Connection(str(directory / "messages.sqlite3"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return int(connection.execute("PRAGMA user_version").get)
    finally:
        connection.close()


def restore(directory: Path, dump: Path) -> None:
    """Make a database of what an older version has left."""
    connection = apsw.Connection(str(directory / "messages.sqlite3"))
    try:
        connection.execute(dump.read_text("utf-8"))
    finally:
        connection.close()


def test_data_of_the_first_schema_keep_their_messages_and_can_hold_records(tmp_path: Path) -> None:
    restore(tmp_path, Path(__file__).with_name("schema1.sql"))
    assert schema_version(tmp_path) == 1

    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        assert schema_version(tmp_path) == len(migrations())
        queue = await engine.get_queue(KEY)
        assert queue is not None
        assert queue.metadata == {"a": 1}
        kept = await engine.get_messages(KEY, IDS, now_ms=NOW_MS)
        assert [(message.id, message.body, message.ttl_s) for message in kept] == [
            (id_, b'"%s"' % id_.encode(), 300) for id_ in IDS
        ]
        held = await engine.get_claim(KEY, "c", now_ms=NOW_MS)
        assert held is not None
        assert held.messages == kept[:2]
        taken = await engine.claim(KEY, NewClaim(id="d", ttl_s=60, grace_s=60), limit=9, now_ms=NOW_MS)
        assert [message.id for message in taken] == ["3", "4"]
        assert await engine.usage("p", now_ms=NOW_MS) == Usage(queues=1, messages=4, bytes=12)
        record = await engine.put_record(RecordKey("k", "p", "n"), b"{}", now_ms=NOW_MS)
        await engine.close()
        again = SqliteEngine(tmp_path)
        await again.start()
        assert await again.get_record(record.key, now_ms=NOW_MS) == record
        await again.close()

    asyncio.run(scenario())


def test_backlogs_of_the_schema_before_end_with_their_subscriptions(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "messages.sqlite3"))
    for script in migrations()[:4]:
        connection.execute(script)
    connection.execute("PRAGMA user_version = 4")
    subscription = ("p", "queue", "q", "s", "http://a/", 60, b"{}", 0, 0, NOW_MS + 1, 1)
    connection.execute(f"INSERT INTO subscriptions VALUES ({', '.join('?' * len(subscription))})", subscription)
    queue = "INSERT INTO queues (project, kind, name, number, metadata, revision, created_ms, subscriptions)"
    for kind, name, number in (("queue", "q", 1), ("queue", "s", 2), ("backlog", "s", 3)):
        connection.execute(f"{queue} VALUES ('p', ?, ?, ?, x'7B7D', 1, 0, ?)", (kind, name, number, name == "q"))
    connection.execute("UPDATE counter SET last = 3")
    connection.close()

    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        keys = (QueueKey("p", "s", "backlog"), QueueKey("p", "s"))
        message = NewMessage(id="m", body=b"1", ttl_s=60)
        await engine.publish([Post(key, (message,)) for key in keys], now_ms=NOW_MS)
        for now_ms, expected in ((NOW_MS, [1, 1]), (NOW_MS + 1, [0, 1])):
            found = [await engine.get_messages(key, ["m"], now_ms=now_ms) for key in keys]
            assert [len(messages) for messages in found] == expected
        await engine.close()

    asyncio.run(scenario())


def test_a_move_that_was_begun_with_the_schema_before_can_go_on(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "messages.sqlite3"))
    for script in migrations()[:8]:
        connection.execute(script)
    connection.execute("PRAGMA user_version = 8")
    queue = "INSERT INTO queues (project, kind, name, number, metadata, revision, created_ms, subscriptions)"
    for name, number in (("held", 1), ("~staged", 2)):
        kind = "~queue" if name.startswith("~") else "queue"
        connection.execute(f"{queue} VALUES ('p', ?, ?, ?, x'7B7D', 1, 0, 0)", (kind, name.lstrip("~"), number))
    for name, until_ms in (("held", None), ("moved", 9)):
        connection.execute("INSERT INTO markers VALUES ('p', 'queue', ?, ?)", (name, until_ms))
    connection.execute("INSERT INTO followed VALUES (1)")
    connection.execute("UPDATE counter SET last = 2")
    connection.close()

    async def scenario() -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        held, moved, staged = (QueueKey("p", name) for name in ("held", "moved", "staged"))
        for key in (held, moved):
            with pytest.raises(QueueMoved):
                await engine.put_queue(key, {}, revision=None, now_ms=NOW_MS)
        await engine.hold([held], held=True, token=5)
        await engine.hold([held], held=False, token=5)
        assert await engine.delete_queue(held)
        await engine.open_staged([staged], now_ms=NOW_MS)
        assert await engine.get_queue(staged) is not None
        await engine.close()

    asyncio.run(scenario())

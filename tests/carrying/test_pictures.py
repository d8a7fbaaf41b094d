"""A picture is of one moment, whatever is written while it is read."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Final

import apsw
import pytest
from tests.engines.postgresql_server import PostgreSQL

from sukkal.carrying import leaving
from sukkal.carrying.backup import back_up, restore
from sukkal.carrying.file import Reading
from sukkal.engines.memory import MemoryEngine
from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.postgresql.picture import PostgresqlPicture
from sukkal.engines.sqlite import SqliteEngine
from sukkal.engines.sqlite.picture import take_picture
from sukkal.errors import StartupError
from sukkal.model import NewMessage, Post, QueueKey, View
from sukkal.store import Engine
from sukkal.whole import Source

FIRST: Final = QueueKey("p", "a")
LAST: Final = QueueKey("p", "z")
NOW_MS: Final = 1_000_000
BEFORE: Final = 60


@pytest.fixture
def store(postgresql: PostgreSQL) -> Iterator[str]:
    """Return the URL of a database of the test's own."""
    url = postgresql.new_store()
    yield url
    postgresql.drop_database(url)


async def post(engine: Engine, number: int) -> None:
    """Post the same to two queues at once."""
    message = NewMessage(id=f"{number:09}", body=b"1", ttl_s=3_600)
    await engine.publish([Post(FIRST, (message,)), Post(LAST, (message,))], now_ms=NOW_MS)


async def write_on(engine: Engine, numbers: Iterator[int]) -> None:
    for number in numbers:
        await post(engine, number)
        await asyncio.sleep(0)


async def ids(engine: Engine, key: QueueKey) -> list[str]:
    page = await engine.browse(key, after=None, limit=100_000, view=View(claimed=True, delayed=True), now_ms=NOW_MS)
    return [each.id for each in page.messages]


@contextlib.asynccontextmanager
async def written(engine: Engine) -> AsyncIterator[None]:
    """Write all the time, behind what is there already."""
    numbers = count()
    await engine.start()
    for _ in range(BEFORE):
        await post(engine, next(numbers))
    writing = asyncio.ensure_future(write_on(engine, numbers))
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.wait((writing,))
        await engine.close()


async def restored(source: Source) -> tuple[list[str], list[str]]:
    """Return what two queues have in a store that is restored from a backup."""
    file = io.BytesIO()
    await back_up(source, file, written_by="x", now_ms=NOW_MS, tell=lambda progress: None)
    reading, target = Reading(file), MemoryEngine()
    reading.check()
    await restore(reading, target, now_ms=NOW_MS, tell=lambda progress, compares: None)
    return await ids(target, FIRST), await ids(target, LAST)


def check(first: list[str], last: list[str]) -> None:
    assert first == last
    assert first[:BEFORE] == [f"{number:09}" for number in range(BEFORE)]
    assert first == [f"{number:09}" for number in range(len(first))]


@pytest.mark.parametrize("page", [2, 200])
def test_a_picture_of_a_database_is_of_one_moment(page: int, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "_PAGE", page)

    async def told() -> tuple[list[str], list[str]]:
        async with written(PostgresqlEngine(store)), PostgresqlPicture(store, connect_s=10, statement_s=10) as picture:
            return await restored(picture)

    check(*asyncio.run(told()))


def test_a_picture_of_a_directory_is_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sukkal.engines.sqlite.picture._PAGES", 1)
    (tmp_path / "picture").mkdir()

    async def told() -> tuple[list[str], list[str]]:
        async with written(SqliteEngine(tmp_path / "data")):
            await asyncio.to_thread(take_picture, tmp_path / "data", tmp_path / "picture")
        engine = SqliteEngine(tmp_path / "picture")
        await engine.start()
        found = await restored(engine)
        await engine.close()
        return found

    check(*asyncio.run(told()))


def test_what_a_newer_version_wrote_is_not_copied(tmp_path: Path) -> None:
    async def made() -> None:
        engine = SqliteEngine(tmp_path / "data")
        await engine.start()
        await engine.close()

    asyncio.run(made())
    with contextlib.closing(apsw.Connection(str(tmp_path / "data" / "messages.sqlite3"))) as connection:
        connection.execute("PRAGMA user_version = 999")
    (tmp_path / "picture").mkdir()
    with pytest.raises(StartupError, match="schema version 999"):
        take_picture(tmp_path / "data", tmp_path / "picture")

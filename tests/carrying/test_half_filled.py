"""A store to which not everything has come: whoever is pointed at it says so, and nobody serves it."""

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Commands
from tests.engines.postgresql_server import PostgreSQL
from tests.pools.pooled import Pools
from tests.serving import FailedToStart, ServerProcess

from sukkal.app import carrying as stores
from sukkal.app.engines import pools_service
from sukkal.carrying.arriving import Arriving, check_whole
from sukkal.carrying.parcels import Beginning, Keeping
from sukkal.engines.memory import MemoryEngine
from sukkal.errors import InvalidRequest, StoreUnavailable
from sukkal.model import NewMessage, Post, QueueKey, Record, RecordKey
from sukkal.records import Records
from sukkal.settings import Settings

NOW_MS = 1_000_000
KEPT = Record(key=RecordKey("k", "p", "n"), value=b"1", created_ms=1, expires_ms=None)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URI of an empty store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'half'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    url = server.new_store()
    yield url
    server.drop_database(url)


async def fill(uri: str, *, whole: bool) -> None:
    """Fill a store from the backup of somebody, or begin to."""
    async with stores.target(uri) as target:
        arriving = Arriving(target, "the backup 7f", now_ms=NOW_MS)
        await arriving.open()
        await arriving.take(Beginning(as_of_ms=NOW_MS, last=0))
        await arriving.take(Keeping((KEPT,)))
        if whole:
            await arriving.close()


def said_what_to_do(text: str) -> bool:
    return "is being filled from the backup 7f" in text and "sukkal restore" in text and "or empty" in text


def node(uri: str) -> Pools:
    """Return a node with the pool ``p1`` in memory and the pool ``p2`` elsewhere."""

    async def check(records: Records) -> None:
        await check_whole(records, NOW_MS)

    return Pools(MemoryEngine(), ["memory://", uri], now_ms=lambda: NOW_MS, check=check)


def test_no_service_starts_on_it(store: str) -> None:
    asyncio.run(fill(store, whole=False))
    with pytest.raises(FailedToStart) as refused:
        ServerProcess(store)
    assert said_what_to_do(refused.value.stderr)
    asyncio.run(fill(store, whole=True))
    with ServerProcess(store):
        pass


def test_the_doctor_finds_it(store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in [name for name in os.environ if name.startswith(("SUKKAL_", "OS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SUKKAL_LISTEN", "127.0.0.1:0")
    monkeypatch.setenv("SUKKAL_STORE", store)

    def verdict() -> Any:
        ran = Commands("", "", capsys).ran("doctor", "--output", "json")
        return {each["check"]: each for each in json.loads(ran.out)}["store"]

    asyncio.run(fill(store, whole=False))
    found = verdict()
    assert found["state"] == "fail"
    assert said_what_to_do(f"{found['seen']}. {found['todo']}")
    asyncio.run(fill(store, whole=True))
    assert verdict()["state"] != "fail"


def test_no_pool_is_made_of_it(store: str) -> None:
    async def scenario() -> None:
        engine = Pools(MemoryEngine(), [], now_ms=lambda: NOW_MS)
        await engine.start()
        ids = count()
        pools = pools_service(Settings(), engine, lambda: NOW_MS, lambda: f"id{next(ids)}")
        await fill(store, whole=False)
        with pytest.raises(InvalidRequest) as refused:
            await pools.put("half", {"uri": store, "weight": 1})
        assert said_what_to_do(str(refused.value))
        await fill(store, whole=True)
        await pools.put("half", {"uri": store, "weight": 1})
        await engine.close()

    asyncio.run(scenario())


def test_a_pool_with_such_data_is_down_until_all_has_come(store: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        engine = node(store)
        await fill(store, whole=False)
        with caplog.at_level(logging.WARNING):
            await engine.start()
            await engine.refresh()
        assert len([each for each in caplog.messages if "the pool p2" in each and said_what_to_do(each)]) == 1
        assert [each.down for each in engine.members] == [False, True]
        own, half = engine.members
        assert own.reason is None
        assert said_what_to_do(half.reason or "")
        with pytest.raises(StoreUnavailable):
            await engine.ask("p2", "publish", [post("x")], now_ms=NOW_MS)
        # Others take the queues meanwhile, and whoever fills it is not kept from it.
        for number in range(8):
            await engine.publish([post(f"q{number}")], now_ms=NOW_MS)
        await fill(store, whole=True)
        await engine.refresh()
        assert [(each.down, each.reason) for each in engine.members] == [(False, None)] * 2
        await engine.ask("p2", "publish", [post("x")], now_ms=NOW_MS)
        await engine.close()

    asyncio.run(scenario())


def test_a_pool_that_comes_back_with_such_data_is_not_served(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        engine = node("memory://")
        await engine.start()
        pool = engine.members.by_name()["p2"]
        await engine.ask("p2", "publish", [post("x")], now_ms=NOW_MS)
        pool.down = True
        arriving = Arriving(pool.engine, "the backup 7f", now_ms=NOW_MS)  # type: ignore[arg-type]
        await arriving.take(Beginning(as_of_ms=NOW_MS, last=0))
        with caplog.at_level(logging.WARNING):
            await engine.refresh()
        assert pool.down
        assert said_what_to_do(caplog.text)
        await engine.close()

    asyncio.run(scenario())


def post(name: str) -> Post:
    message = NewMessage(id=f"m-{name}", body=b"1", ttl_s=60)
    return Post(QueueKey("p", name), (message,))

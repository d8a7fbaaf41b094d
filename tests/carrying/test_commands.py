"""The commands that carry whole stores, beside services that run, and killed."""

import asyncio
import contextlib
import json
import random
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from tests.carrying.commands import begin, run
from tests.cli.running import eventually
from tests.engines.postgresql_server import PostgreSQL
from tests.serving import FailedToStart, ServerProcess

from sukkal.cli import main
from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.model import NewMessage, Post, QueueKey, RecordKey, View
from sukkal.pools.definitions import flavor_key, pool_key
from sukkal.store import Engine

EVERYTHING: Final = View(claimed=True, delayed=True)
KEY: Final = QueueKey("p", "q")
LARGE: Final = 2_000
PROJECT: Final = {"X-Project-Id": "p", "Client-ID": "3381af92-2b9e-11e3-b191-71861300734c"}


@pytest.fixture
def store(postgresql: PostgreSQL) -> Any:
    """Return the URL of a database of the test's own."""
    url = postgresql.new_store()
    yield url
    postgresql.drop_database(url)


def fill(engine: Engine, *, count: int = 50, queues: int = 3) -> None:
    """Put messages and records into a store."""

    async def filling() -> None:
        await engine.start()
        for queue in range(queues):
            for first in range(0, count, 500):
                ids = [f"{queue}-{number}" for number in range(first, min(first + 500, count))]
                posted = tuple(NewMessage(id=id_, body=b'"x"' + b" " * 500, ttl_s=1_209_600) for id_ in ids)
                await engine.publish([Post(KEY._replace(name=f"q{queue}"), posted)], now_ms=_now_ms())
        await engine.put_record(RecordKey("k", "p", "n"), b"1", now_ms=_now_ms())
        await engine.close()

    asyncio.run(filling())


def found(engine: Engine, *, queues: int = 3) -> list[list[str]]:
    """Return the ids of the messages of all queues."""

    async def looking() -> list[list[str]]:
        await engine.start()
        all_ids: list[list[str]] = []
        for queue in range(queues):
            ids: list[str] = []
            after = None
            while True:
                page = await engine.browse(
                    KEY._replace(name=f"q{queue}"), after=after, limit=1_000, view=EVERYTHING, now_ms=_now_ms()
                )
                ids += [each.id for each in page.messages]
                if page.next is None:
                    break
                after = page.next
            all_ids.append(ids)
        await engine.close()
        return all_ids

    return asyncio.run(looking())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_a_directory_is_moved_to_a_database_and_back(tmp_path: Path, store: str) -> None:
    fill(SqliteEngine(tmp_path / "a"))
    expected = found(SqliteEngine(tmp_path / "a"))
    there = run("migrate", "--from", f"sqlite:///{tmp_path / 'a'}", "--to", store)
    assert (there.code, there.out) == (
        0,
        "All has arrived and is the same: 3 queues, 150 messages, 1 control record.\n",
    )
    assert "comparing" in there.err
    again = run("migrate", "--from", f"sqlite:///{tmp_path / 'a'}", "--to", store)
    assert (again.code, again.out.startswith("All had arrived before, and nothing was done")) == (0, True)
    assert found(PostgresqlEngine(store)) == expected
    back = run("migrate", "--from", store, "--to", f"sqlite:///{tmp_path / 'b'}")
    assert back.code == 0
    assert found(SqliteEngine(tmp_path / "b")) == expected


def test_a_password_is_shown_to_nobody(tmp_path: Path, postgresql: PostgreSQL, store: str) -> None:
    fill(PostgresqlEngine(store))
    secret = store.split(":")[2].partition("@")[0]
    said = run("migrate", "--from", store, "--to", f"sqlite:///{tmp_path / 'b'}")
    assert said.code == 0
    assert secret not in said.out + said.err

    async def noted() -> list[bytes]:
        engine = SqliteEngine(tmp_path / "b")
        await engine.start()
        kept = await engine.all_records(None, limit=100, now_ms=0)
        await engine.close()
        return [each.value for each in kept]

    assert not any(secret.encode() in value for value in asyncio.run(noted()))


def test_a_listener_who_comes_back_is_told_that_something_is_missing(tmp_path: Path, store: str) -> None:
    with ServerProcess(f"sqlite:///{tmp_path / 'a'}") as server:
        _post(server.url, 0)
        place = _ready(server.url)["position"]
        assert _ready(server.url, place)["recovered"]
        _ask("DELETE", f"{server.url}/v2/queues/gone")
        before_it_was = _ready(server.url, queue="gone")["position"]
        assert server.stop() == 0
    assert run("migrate", "--from", f"sqlite:///{tmp_path / 'a'}", "--to", store).code == 0
    with ServerProcess(store) as server:
        assert _numbers(server.url) == [0, 1, 2]
        assert not _ready(server.url, place)["recovered"]
        assert not _ready(server.url, before_it_was, queue="gone")["recovered"]
        new = _ready(server.url)["position"]
        assert _ready(server.url, new)["recovered"]


def test_nothing_is_moved_that_is_served(tmp_path: Path, store: str) -> None:
    fill(SqliteEngine(tmp_path / "a"))
    with ServerProcess(f"sqlite:///{tmp_path / 'a'}"):
        refused = run("migrate", "--from", f"sqlite:///{tmp_path / 'a'}", "--to", store)
        assert (refused.code, "in use by process" in refused.err) == (1, True)
    with ServerProcess(store):
        refused = run("migrate", "--from", f"sqlite:///{tmp_path / 'a'}", "--to", store)
        assert (refused.code, "Stop all services" in refused.err) == (1, True)
        refused = run("migrate", "--from", store, "--to", f"sqlite:///{tmp_path / 'b'}")
        assert (refused.code, "Stop all services" in refused.err) == (1, True)


def test_nobody_serves_a_database_that_is_being_moved(store: str) -> None:
    async def serving() -> None:
        alone = PostgresqlEngine(store, alone=True)
        await alone.start()
        with pytest.raises(FailedToStart, match="being moved"):
            ServerProcess(store)
        await alone.close()
        with ServerProcess(store):
            pass

    asyncio.run(serving())


def test_what_has_not_come_as_a_whole_is_not_served(tmp_path: Path) -> None:
    fill(SqliteEngine(tmp_path / "a"), count=LARGE)
    command = ["migrate", "--from", f"sqlite:///{tmp_path / 'a'}", "--to", f"sqlite:///{tmp_path / 'b'}"]
    assert _kill_when(command, lambda: _size(tmp_path / "b") > 500_000)
    with pytest.raises(FailedToStart, match="not everything has come"):
        ServerProcess(f"sqlite:///{tmp_path / 'b'}")
    assert run(*command).code == 0
    with ServerProcess(f"sqlite:///{tmp_path / 'b'}"):
        pass


@pytest.mark.parametrize("by", ["migrate", "restore"])
def test_what_is_killed_goes_on_until_all_is_there(by: str, tmp_path: Path) -> None:
    source, target = f"sqlite:///{tmp_path / 'a'}", f"sqlite:///{tmp_path / 'b'}"
    fill(SqliteEngine(tmp_path / "a"), count=LARGE)
    command = ["migrate", "--from", source, "--to", target]
    if by == "restore":
        assert run("backup", "--store", source, tmp_path / "file").code == 0
        command = ["restore", str(tmp_path / "file"), "--store", target]
    killed = 0
    for size in range(400_000, 4_000_000, 600_000):
        killed += _kill_when(command, lambda size=size: _size(tmp_path / "b") > size)  # type: ignore[misc]
    assert killed > 2
    assert run(*command).code == 0
    assert found(SqliteEngine(tmp_path / "b")) == found(SqliteEngine(tmp_path / "a"))


def test_a_migration_into_a_database_that_is_killed_goes_on_until_all_is_there(tmp_path: Path, store: str) -> None:
    fill(SqliteEngine(tmp_path / "a"), count=LARGE)
    command = ["migrate", "--from", f"sqlite:///{tmp_path / 'a'}", "--to", store]
    draw, killed = random.Random(7), 0
    for _ in range(6):
        with begin(*command) as process:
            # Where it is then is chance.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=draw.uniform(0.3, 1.5))
            process.kill()
            killed += process.wait() == -9
    assert killed
    assert run(*command).code == 0
    assert found(PostgresqlEngine(store)) == found(SqliteEngine(tmp_path / "a"))


def _kill_when(command: list[str], so: Callable[[], bool]) -> bool:
    """Kill a command as soon as something is so, and tell whether it had not ended before."""
    with begin(*command) as process:
        eventually(lambda: process.poll() is not None or so())
        process.kill()
        process.communicate()
        return process.returncode == -9


def _size(directory: Path) -> int:
    """Return how many bytes there are in the files of a store, of which some come and go."""
    size = 0
    for name in ("messages.sqlite3", "messages.sqlite3-wal"):
        with contextlib.suppress(FileNotFoundError):
            size += (directory / name).stat().st_size
    return size


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_under_load_has_all_that_was_acknowledged_before_and_no_part_of_a_post(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = f"sqlite:///{tmp_path / 'a'}" if kind == "sqlite" else request.getfixturevalue("store")
    with ServerProcess(store) as server:
        sent = 0
        for _ in range(200):
            sent = _post(server.url, sent)
        before = sent
        with begin("backup", "--store", store, tmp_path / "file") as backing:
            while backing.poll() is None:
                sent = _post(server.url, sent)
            assert backing.returncode == 0, backing.communicate()
        assert server.stop() == 0
    assert sent > before
    restored = run("restore", tmp_path / "file", "--store", f"sqlite:///{tmp_path / 'b'}")
    assert restored.code == 0, restored.err
    with ServerProcess(f"sqlite:///{tmp_path / 'b'}") as server:
        numbers = _numbers(server.url)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= before
    assert len(numbers) % 3 == 0


def _ready(url: str, place: str = "", *, queue: str = "q") -> Any:
    """Begin a stream, from a place if there is one, and return what it says first."""
    headers = {**PROJECT, **({"Last-Event-ID": place} if place else {})}
    request = urllib.request.Request(f"{url}/v2/queues/{queue}/stream", headers=headers)
    with contextlib.closing(urllib.request.urlopen(request, timeout=30)) as answer:
        for line in answer:
            if line.startswith(b"data:"):
                return json.loads(line.removeprefix(b"data:"))
    raise AssertionError("the stream ended")


def _post(url: str, number: int) -> int:
    """Post the next three numbers at once, wait for the answer, and return the one after them."""
    document = {"messages": [{"body": number + each, "ttl": 3_600} for each in range(3)]}
    _ask("POST", f"{url}/v2/queues/q/messages", document)
    return number + 3


def _numbers(url: str) -> list[int]:
    found: list[int] = []
    path = "/v2/queues/q/messages?limit=20&echo=true"
    while messages := (page := _ask("GET", url + path))["messages"]:
        found += [each["body"] for each in messages]
        path = page["links"][0]["href"]
    return found


def _ask(method: str, url: str, document: Any = None) -> Any:
    data = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, data, {**PROJECT, "Content-Type": "application/json"}, method=method)
    with contextlib.closing(urllib.request.urlopen(request, timeout=30)) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def test_a_backup_leaves_nothing_half_done(tmp_path: Path) -> None:
    missing = run("backup", "--store", f"sqlite:///{tmp_path / 'nowhere'}", tmp_path / "file")
    assert (missing.code, "There are no data" in missing.err) == (1, True)
    assert list(tmp_path.iterdir()) == []
    fill(SqliteEngine(tmp_path / "a"), queues=1)
    (tmp_path / "file").write_text("precious")
    there = run("backup", "--store", f"sqlite:///{tmp_path / 'a'}", tmp_path / "file")
    assert (there.code, "is there already" in there.err) == (1, True)
    assert (tmp_path / "file").read_text() == "precious"


def test_a_backup_is_for_its_owner_only(tmp_path: Path) -> None:
    fill(SqliteEngine(tmp_path / "a"), queues=1)
    done = run("backup", "--store", f"sqlite:///{tmp_path / 'a'}", tmp_path / "file")
    assert done.out == f"{tmp_path / 'file'} has 1 queue, 50 messages, 1 control record.\n"
    assert done.err == ""
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "file"]


def test_a_backup_says_which_pools_are_not_in_it(tmp_path: Path) -> None:
    async def pools() -> None:
        engine = SqliteEngine(tmp_path / "a")
        await engine.start()
        for number in range(45):
            await engine.put_record(pool_key(f"disk{number:02}"), b"{}", now_ms=_now_ms())
        await engine.put_record(flavor_key("fast"), b"{}", now_ms=_now_ms())
        await engine.close()

    asyncio.run(pools())
    done = run("backup", "--store", f"sqlite:///{tmp_path / 'a'}", tmp_path / "file")
    assert done.code == 0
    names = ", ".join(f"disk{number:02}" for number in range(45))
    assert f"Not in it is what these pools keep: {names}. Back up each of them too" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["migrate", "--from", "sqlite:///a"], "--to"),
        (["migrate", "--from", "sqlite:///a", "--to", "sqlite:///./a"], "name the same store"),
        (["migrate", "--from", "memory://", "--to", "sqlite:///a"], "A store is named by"),
        (["migrate", "--from", "sqlite:///a", "--to", "mysql://x"], "A store is named by"),
        (["backup", "file"], "Which store?"),
        (["restore", "--store", "sqlite:///a"], "FILE"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SUKKAL_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_a_backup_that_is_not_there_is_named_and_nothing_was_broken_off(tmp_path: Path) -> None:
    refused = run("restore", tmp_path / "file", "--store", f"sqlite:///{tmp_path / 'a'}")
    assert (refused.code, refused.err) == (1, f"sukkal: Cannot read {tmp_path / 'file'}: No such file or directory.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_backup_makes_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"something else")
    refused = run("restore", tmp_path / "file", "--store", f"sqlite:///{tmp_path / 'a'}")
    assert (refused.code, "no backup" in refused.err) == (1, True)
    assert not (tmp_path / "a").exists()

"""The files of the embedded index: damaged, deleted, of another version, many."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from sukkal import limits
from sukkal.clock import elapsed_s
from sukkal.errors import InvalidRequest, Unavailable
from sukkal.indexes.sqlite_fts import SqliteIndex
from sukkal.model import QueueKey
from sukkal.search import Asked
from sukkal.testing.contract_search import NOW_MS, Searched, document


@pytest.fixture
def searched(tmp_path: Path) -> Iterator[Searched]:
    found = Searched(SqliteIndex(tmp_path, bytes_max=1_000_000, elapsed_s=elapsed_s))
    yield found
    found.close()


def the_file(directory: Path) -> Path:
    [path] = directory.glob("*.sqlite3")
    return path


def test_searching_makes_no_file(searched: Searched, tmp_path: Path) -> None:
    assert searched.ids() == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_deleted_is_made_anew_without_a_restart(searched: Searched, tmp_path: Path) -> None:
    searched.put(document(0))
    assert searched.ids() == ["e0"]
    for path in tmp_path.iterdir():
        path.unlink()
    assert searched.ids() == []
    searched.put(document(1))
    assert searched.ids() == ["e1"]


def test_a_damaged_file_is_told_and_heals_when_it_is_deleted(searched: Searched, tmp_path: Path) -> None:
    searched.put(document(0))
    searched.run(searched.index.close())
    the_file(tmp_path).write_bytes(b"no database at all" * 1_000)
    damaged = Searched(SqliteIndex(tmp_path, bytes_max=1_000_000, elapsed_s=elapsed_s))
    with pytest.raises(Unavailable, match="delete it"):
        damaged.ids()
    with pytest.raises(Unavailable):
        damaged.put(document(1))
    damaged.put(document(2), project="other")
    for name in [path for path in tmp_path.iterdir() if path.read_bytes()[:2] == b"no"]:
        name.unlink()
    damaged.put(document(1))
    assert damaged.ids() == ["e1"]
    damaged.close()


def test_a_file_of_another_version_is_made_anew(searched: Searched, tmp_path: Path) -> None:
    searched.put(document(0))
    searched.run(searched.index.close())
    connection = apsw.Connection(str(the_file(tmp_path)))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    other = Searched(SqliteIndex(tmp_path, bytes_max=1_000_000, elapsed_s=elapsed_s))
    other.put(document(1))
    assert other.ids() == ["e1"]
    other.close()


def test_a_put_that_fails_leaves_nothing(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object) -> None:
        raise apsw.FullError

    searched.put(document(0))
    with monkeypatch.context() as broken:
        broken.setattr("sukkal.indexes.sqlite_fts.writing.note_types", fail)
        with pytest.raises(Unavailable):
            searched.put(document(1), document(2))
    assert searched.ids() == ["e0"]
    assert searched.put(document(1)) == 1


def test_a_search_that_takes_too_long_is_broken_off(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEARCH_S_MAX", 0)
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n WHERE :limit > 0"

    def find(connection: apsw.Connection, **more: object) -> object:
        return connection.execute(endless, {"limit": 1}).fetchall()

    searched.put(document(0))
    with monkeypatch.context() as slow:
        slow.setattr("sukkal.indexes.sqlite_fts.finding.find", find)
        with pytest.raises(InvalidRequest, match="since"):
            searched.ids()
    monkeypatch.setattr(limits, "SEARCH_S_MAX", 60)
    assert searched.ids() == ["e0"]


def test_few_files_are_open_however_many_projects_there_are(
    searched: Searched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEARCH_BOOKS_OPEN_MAX", 3)
    projects = [f"p{number}" for number in range(10)]
    for _ in range(2):
        for number, project in enumerate(projects):
            searched.put(document(number), project=project)
    assert [searched.ids(project=project) for project in projects] == [[f"e{number}"] for number in range(10)]
    assert len(searched.index._library._books) == 3  # type: ignore[attr-defined]


def test_every_project_is_swept_in_its_turn(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEARCH_BOOKS_SWEPT_AT_ONCE", 2)
    for number in range(5):
        searched.put(document(number), project=f"p{number}")
    swept = [searched.run(searched.index.sweep(before_ms=NOW_MS + 1, limit=10)) for _ in range(4)]
    assert sum(swept) == 5


def test_calls_of_many_at_once_take_turns(searched: Searched) -> None:
    async def all_at_once() -> list[int]:
        index = searched.index
        puts = [index.put("p", [document(number)], now_ms=NOW_MS) for number in range(20)]
        finds = [index.find("events", "p", Asked(), before=None, limit=100) for _ in range(20)]
        counts: list[int] = await asyncio.gather(*puts)
        await asyncio.gather(*finds)
        return counts

    assert searched.run(all_at_once()) == [1] * 20
    assert len(searched.ids()) == 20


def test_sweeping_closes_no_file_that_is_in_use(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEARCH_BOOKS_OPEN_MAX", 4)
    for number in range(12):
        searched.put(document(number), project=f"p{number}")
    hot = ["p2", "p5", "p7"]
    for project in hot:
        searched.put(document(100), project=project)
    books = searched.index._library._books  # type: ignore[attr-defined]
    in_use = {id(book) for book in list(books.values())[-3:]}
    for _ in range(6):
        searched.run(searched.index.sweep(before_ms=0, limit=10))
    assert in_use <= {id(book) for book in books.values()}
    assert len(books) == 4


def test_the_file_of_a_project_that_has_nothing_any_more_is_deleted(searched: Searched, tmp_path: Path) -> None:
    searched.put(document(0))
    searched.put(document(1), project="other")
    searched.run(searched.index.drop_queue(QueueKey("p", "q"), now_ms=NOW_MS + 1))
    for _ in range(3):
        searched.run(searched.index.sweep(before_ms=NOW_MS, limit=10))
    assert len(list(tmp_path.glob("*.sqlite3"))) == 2
    for _ in range(3):
        searched.run(searched.index.sweep(before_ms=NOW_MS + 2, limit=10))
    assert list(tmp_path.iterdir()) == []
    assert searched.ids() == []
    searched.put(document(2))
    assert searched.ids() == ["e2"]


def test_so_many_queues_that_are_gone_are_remembered(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEARCH_DROPS_REMEMBERED_MAX", 3)
    names = [f"q{number}" for number in range(6)]
    for number, name in enumerate(names):
        searched.run(searched.index.drop_queue(QueueKey("p", name), now_ms=NOW_MS + number + 1))
        searched.run(searched.index.sweep(before_ms=0, limit=10))
    for number, name in enumerate(names):
        searched.put(document(number, queue=QueueKey("p", name), posted_ms=NOW_MS))
    assert searched.ids() == ["e1", "e0"]


def test_counting_does_not_read_the_events() -> None:
    big = Searched(SqliteIndex(None, bytes_max=10**9, elapsed_s=elapsed_s))
    big.put(*(document(number, event=b"x" * 200_000) for number in range(50)))
    tracemalloc.start()
    try:
        counts = big.run(big.index.facets("events", "p", Asked(), ("type",))).counts
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert counts == {"type": (("compute.instance.create.end", 50),)}
    assert peak < 150_000, "not even one of them"
    big.close()

"""Who waits for whom in the embedded index, and whose time is up."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from sukkal import limits
from sukkal.errors import Unavailable
from sukkal.indexes.sqlite_fts import SqliteIndex, deadlines
from sukkal.indexes.sqlite_fts.matching import Matching
from sukkal.indexes.sqlite_fts.threads import Crew
from sukkal.search import Asked, Term
from sukkal.testing.contract_search import NOW_MS, Searched, document

_EVERYTHING: Final = Asked()


class Stopwatch:
    """Seconds that pass when they are told to, or with each look."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.each_look_s = 0.0

    def __call__(self) -> float:
        """Return the time."""
        self.now_s += self.each_look_s
        return self.now_s


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def searched(tmp_path: Path, stopwatch: Stopwatch) -> Iterator[Searched]:
    found = Searched(SqliteIndex(tmp_path, bytes_max=1_000_000, elapsed_s=stopwatch))
    yield found
    found.close()


@asynccontextmanager
async def busy(crew: Crew, number: int) -> AsyncIterator[None]:
    """Keep threads busy, as what others ask for does."""
    free = threading.Event()

    async def work() -> None:
        async with crew.place():
            await crew.do(free.wait)

    works = [asyncio.create_task(work()) for _ in range(number)]
    await asyncio.sleep(0)
    try:
        yield
    finally:
        free.set()
        await asyncio.gather(*works)


def reading(searched: Searched) -> Crew:
    """Return the threads that read."""
    crew: Crew = searched.index._threads.reading  # type: ignore[attr-defined]
    return crew


def test_the_time_of_a_search_begins_when_it_does(searched: Searched, stopwatch: Stopwatch) -> None:
    searched.put(*(document(number) for number in range(200)))

    async def waits() -> int:
        async with busy(reading(searched), limits.SEARCH_THREADS):
            find = searched.index.find("events", "p", _EVERYTHING, before=None, limit=200)
            finding = asyncio.create_task(find)
            await asyncio.sleep(0)
            stopwatch.now_s += 10 * limits.SEARCH_S_MAX
        return len((await finding).hits)

    assert searched.run(waits()) == 200


def test_who_waits_too_long_for_others_is_told_to_come_back(
    searched: Searched, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched.put(document(0))
    monkeypatch.setattr(limits, "SEARCH_WAIT_S", 0)

    async def waits() -> None:
        async with busy(reading(searched), limits.SEARCH_THREADS):
            with pytest.raises(Unavailable, match="Too many searches"):
                await searched.index.find("events", "p", _EVERYTHING, before=None, limit=1)

    searched.run(waits())
    monkeypatch.setattr(limits, "SEARCH_WAIT_S", 10)
    assert searched.ids() == ["e0"]


def test_putting_and_matching_wait_for_no_search(searched: Searched) -> None:
    async def all_reading() -> None:
        async with busy(reading(searched), limits.SEARCH_THREADS):
            assert await searched.index.put("p", [document(0)], now_ms=NOW_MS) == 1
            assert await searched.index.matches([document(0)], [_EVERYTHING]) == [[0]]

    searched.run(all_reading())
    assert searched.ids() == ["e0"]


def test_a_project_with_many_saved_searches_takes_turns_with_the_others(
    tmp_path: Path, stopwatch: Stopwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEARCH_MATCHING_THREADS", 1)
    real, asked = Matching.found, []

    def noted(self: Matching, question: Asked) -> list[int] | None:
        asked.append(question)
        return real(self, question)

    monkeypatch.setattr(Matching, "found", noted)
    searched = Searched(SqliteIndex(tmp_path, bytes_max=1_000_000, elapsed_s=stopwatch))
    word = Asked(terms=(Term("word"),))

    async def both() -> int:
        many = asyncio.create_task(searched.index.matches([document(0)], [_EVERYTHING] * 100))
        await asyncio.sleep(0)
        assert await searched.index.matches([document(1, "word")], [word]) == [[0]]
        before = asked.index(word)
        await many
        return before

    assert searched.run(both()) <= 5
    assert len(asked) == 101
    searched.close()


def test_a_saved_search_that_takes_too_long_keeps_no_other_from_its_answer(
    searched: Searched, stopwatch: Stopwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "_STEPS_BETWEEN_LOOKS", 1)
    documents = [document(number, " ".join(f"aaaa{word}" for word in range(number, 200))) for number in range(50)]
    dear = Asked(terms=tuple([Term(f"aaaa{number}", prefix=True) for number in range(1, 17)]))
    cheap = Asked(terms=(Term("aaaa0"),))
    stopwatch.each_look_s = limits.SEARCH_MATCHING_S_MAX / 150
    assert searched.run(searched.index.matches(documents, [cheap, dear, cheap])) == [[0], None, [0]]
    stopwatch.each_look_s = 0
    assert searched.run(searched.index.matches(documents, [dear])) != [None]

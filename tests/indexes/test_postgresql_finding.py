"""What only the index in PostgreSQL can get wrong: its words, its blocks of numbers, what the server cannot hold."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from tests.engines.postgresql_server import PostgreSQL

from sukkal import limits
from sukkal.clock import elapsed_s
from sukkal.indexes.postgresql import PostgresqlIndex
from sukkal.indexes.sqlite_fts import SqliteIndex
from sukkal.model import QueueKey
from sukkal.search import Asked, Change, Document, Shelf, Term
from sukkal.testing.contract_search import NOW_MS, Searched, document

BLOCK: Final = 1_024
LONG: Final = "x" * 3_000


@pytest.fixture
def searched(postgresql: PostgreSQL) -> Iterator[Searched]:
    url = postgresql.new_database()
    found = Searched(PostgresqlIndex(url, bytes_max=10**9))
    yield found
    found.close()
    postgresql.drop_database(url)


def test_words_are_told_apart_as_the_embedded_index_does(searched: Searched) -> None:
    texts = (
        "Größe ÉTÉ e\u0301te\u0301 naïve",
        "日本語 テスト 한국어 ภาษาไทย",
        "a_b a-b a.b a'b 10.0.0.1 ::1 1e5",
        "ǅ ß ﬁ İstanbul ΣΊΣΥΦΟΣ \U0001f600 x\U0001f600y \ue000",
        f"{LONG} {LONG}y {LONG[1:]}",
        "a b a b c",
    )
    terms = (
        *("grosse", "große", "été", "naive", "日本", "日本語", "a_b", "a.b", "10.0", "1e5", "ss", "fi", "ǆ", "σισυφος"),
        *("i̇stanbul", "istanbul", "x y", "\ue000", LONG, LONG[1:], LONG + "y", LONG[:500], "b c", "b a", "c a", "² ½"),
    )
    embedded = Searched(SqliteIndex(None, bytes_max=10**9, elapsed_s=elapsed_s))
    documents = [document(number, text) for number, text in enumerate(texts)]
    for each in (searched, embedded):
        each.put(*documents)
    asked = [
        Asked(terms=(Term(text, prefix=prefix, negative=negative),))
        for text in terms
        for prefix in (False, True)
        for negative in (False, True)
    ]
    matched = searched.run(searched.index.matches(documents, asked))
    for question, numbers in zip(asked, matched, strict=True):
        assert [numbers] == embedded.run(embedded.index.matches(documents, [question])), question
        hits = searched.run(searched.index.find("events", "p", question, before=None, limit=10)).hits
        assert [hit.message_id for hit in hits] == [f"m{number}" for number in reversed(numbers or ())], question
    embedded.close()


def test_words_side_by_side_are_found_wherever_they_stand_in_a_long_text(searched: Searched) -> None:
    text = "a " * 16_000 + "a b"
    searched.put(document(0, text[:-2]), document(1, text))
    assert searched.ids("a b") == searched.ids("b") == ["e1"]
    assert searched.ids("a a a") == ["e1", "e0"]
    assert searched.ids("-a b") == ["e0"]
    many = " ".join(f"{number:x}" for number in range(8_000))
    searched.put(document(2, many))
    assert searched.ids("1f3e 1f3f") == ["e2"]


def test_a_question_of_signs_alone_finds_nothing_and_excludes_nothing(searched: Searched) -> None:
    searched.put(document(0, "a"))
    assert searched.ids("⁂") == searched.ids("a", "⁂") == []
    assert searched.ids("-⁂") == ["e0"]
    facets = searched.run(searched.index.facets("events", "p", Asked(terms=(Term("⁂"),)), ("type",)))
    assert facets.counts == {"type": ()}
    assert facets.complete


def test_what_the_server_cannot_hold_is_found_all_the_same(searched: Searched) -> None:
    change = Change("a\0b", "c\0d")
    given: dict[str, Any] = {"source": "/a\0b", "id": "i\0", "type": "t\0.x", "subject": "\0", "resource": change}
    assert searched.put(document(0, "one\0two", **given)) == 1
    assert searched.put(document(0, **given)) == 0
    assert searched.ids("one two", source="/a\0b", id="i\0", type="t\0.*", subject="\0") == ["e0"]
    assert searched.ids(shelf="resources", resource_type="a\0b", resource_id="c\0d") == ["e0"]
    assert len(searched.run(searched.index.types("p", after="t\0", limit=5))) == 1


def _fill(searched: Searched, count: int) -> None:
    """Put so many documents that they fill several blocks: the words tell of their numbers."""
    documents = [_numbered(number) for number in range(count)]
    for first in range(0, count, 500):
        searched.put(*documents[first : first + 500], now_ms=NOW_MS + first)


def _numbered(number: int) -> Document:
    return document(number, f"common n{number} t{number % 10} h{number % 500}", posted_ms=NOW_MS + number)


def test_pages_go_on_through_all_blocks(searched: Searched) -> None:
    count = 3 * BLOCK + 10
    _fill(searched, count)
    for terms, numbers in (
        (("common",), range(count)),
        (("h7",), range(7, count, 500)),
        (("t3", "-h3"), [number for number in range(3, count, 10) if number % 500 != 3]),
        (("h7 n7", "common"), []),
        (("n7 t7",), [7]),
        (("n3000",), [3_000]),
    ):
        found: list[str] = []
        before = None
        while True:
            page = searched.page(*terms, before=before, limit=700)
            found += [hit.message_id for hit in page.hits]
            before = page.next
            if before is None:
                break
        assert found == [f"m{number}" for number in reversed(numbers)], terms
    assert searched.ids("h7", since_ms=NOW_MS + 2_000) == ["e3007", "e2507", "e2007"]
    assert searched.ids("h7", limit=2) == ["e3007", "e2507"]


def test_counting_ends_at_the_newest_matches(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(searched, BLOCK + 500)
    monkeypatch.setattr(limits, "SEARCH_COUNTED_MAX", 1_200)
    work = searched.index.facets("events", "p", Asked(terms=(Term("common"),)), ("type", "resource_type"))
    facets = searched.run(work)
    assert facets.counts == {"type": (("compute.instance.create.end", 1_200),), "resource_type": ()}
    assert not facets.complete
    assert searched.run(searched.index.facets("events", "p", Asked(terms=(Term("t3"),)), ("type",))).complete


@pytest.mark.parametrize("shelf", ["events", "resources"])
def test_a_project_that_was_dropped_begins_anew_and_the_sweep_removes_what_it_had(
    searched: Searched, shelf: Shelf
) -> None:
    change = Change("OS::Nova::Server", "s1")
    searched.put(document(0, resource=change), document(1))
    searched.run(searched.index.drop_queue(QueueKey("p", "other"), now_ms=NOW_MS + 5))
    searched.run(searched.index.drop_project("p"))
    assert searched.ids(shelf=shelf) == []
    assert searched.put(document(0, queue=QueueKey("p", "other"), resource=change)) == 1
    removed = [searched.run(searched.index.sweep(before_ms=0, limit=2)) for _ in range(4)]
    assert removed == [2, 1, 0, 0]
    assert searched.ids(shelf=shelf) == ["e0"]
    assert [each.count for each in searched.run(searched.index.types("p", after="", limit=10))] == [1]


def test_so_many_queues_that_are_gone_are_remembered(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEARCH_DROPS_REMEMBERED_MAX", 3)
    names = [f"q{number}" for number in range(6)]
    for number, name in enumerate(names):
        searched.run(searched.index.drop_queue(QueueKey("p", name), now_ms=NOW_MS + number + 1))
        searched.run(searched.index.sweep(before_ms=0, limit=10))
    for number, name in enumerate(names):
        searched.put(document(number, queue=QueueKey("p", name), posted_ms=NOW_MS))
    assert searched.ids() == ["e1", "e0"]


def test_every_project_is_swept_in_its_turn(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEARCH_BOOKS_SWEPT_AT_ONCE", 2)
    for number in range(5):
        searched.put(document(number), project=f"p{number}")
    swept = [searched.run(searched.index.sweep(before_ms=NOW_MS + 1, limit=10)) for _ in range(4)]
    assert sum(swept) == 5

"""The contract of search as a test suite: a class per index that says how to make one.

::

    class TestShelves(SearchContract):
        def make_index(self, directory: Path, *, bytes_max: int) -> SearchIndex:
            return ShelvesIndex(directory, bytes_max=bytes_max)
"""

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sukkal.model import QueueKey
from sukkal.search import Asked, Change, Document, Hits, SearchIndex, Shelf, Term

__all__ = ["DurableSearchContract", "SearchContract", "Searched", "document"]

T = TypeVar("T")

NOW_MS: Final = 1_700_000_000_000
BYTES_MAX: Final = 1_000_000
# Each example begins with an empty project, and each index tries its own.
_HELD: Final = (HealthCheck.function_scoped_fixture, HealthCheck.differing_executors)
_WORDS: Final = ("alpha", "beta", "gamma", "alphabet", "über", "b-1", "c", "42")


def document(number: int, text: str = "", **more: Any) -> Document:
    """Return a document that differs from those of other numbers."""
    given = {
        "source": "/nova",
        "id": f"e{number}",
        "type": "compute.instance.create.end",
        "subject": None,
        "time_ms": NOW_MS + number,
        "posted_ms": NOW_MS + number,
        "queue": QueueKey("p", "q"),
        "message_id": f"m{number}",
        "event": b'{"id": "e%d"}' % number,
        "text": text,
    }
    return Document(**(given | more))


class Searched:
    """An index, called without ``await``."""

    def __init__(self, index: SearchIndex) -> None:
        self.index = index
        self._runner = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a call."""
        return self._runner.run(work)

    def put(self, *documents: Document, project: str = "p", now_ms: int = NOW_MS) -> int:
        """Put documents."""
        return self.run(self.index.put(project, documents, now_ms=now_ms))

    def page(
        self,
        *terms: str,
        shelf: Shelf = "events",
        project: str = "p",
        before: int | None = None,
        limit: int = 100,
        since_ms: int | None = None,
        deleted: bool = False,
        **fields: str,
    ) -> Hits:
        """Return a page of matches."""
        asked = Asked(terms=tuple([_term(term) for term in terms]), fields=fields, since_ms=since_ms)
        return self.run(self.index.find(shelf, project, asked, before=before, limit=limit, deleted=deleted))

    def ids(self, *terms: str, **more: Any) -> list[str]:
        """Return the ids of a page of matches."""
        return [msgspec.json.decode(hit.event)["id"] for hit in self.page(*terms, **more).hits]

    def close(self) -> None:
        """Let go of the index."""
        self.run(self.index.close())
        self._runner.close()


def _term(text: str) -> Term:
    negative, prefix = text.startswith("-"), text.endswith("*")
    return Term(text.removeprefix("-").removesuffix("*"), prefix=prefix, negative=negative)


def _server(number: int, **more: Any) -> Document:
    change = Change("OS::Nova::Server", more.pop("name", "s1"), deleted=more.pop("deleted", False))
    return document(number, resource=change, **more)


class SearchContract:
    """What every index has to pass. A subclass says how to make one."""

    def make_index(self, directory: Path, *, bytes_max: int) -> SearchIndex:
        """Return an index that keeps what it has in a directory."""
        raise NotImplementedError

    @pytest.fixture
    def searched(self, tmp_path: Path) -> Iterator[Searched]:
        """Return an empty index."""
        found = Searched(self.make_index(tmp_path, bytes_max=BYTES_MAX))
        yield found
        found.close()

    def test_what_was_put_is_found_newest_first(self, searched: Searched) -> None:
        assert searched.put(*(document(number) for number in range(3))) == 3
        assert searched.ids() == ["e2", "e1", "e0"]

    def test_putting_it_again_changes_nothing(self, searched: Searched) -> None:
        searched.put(document(0), document(1))
        assert searched.put(document(0), document(0, source="/other")) == 1
        assert searched.ids() == ["e0", "e1", "e0"]
        assert searched.run(searched.index.types("p", after="", limit=10))[0].count == 3

    def test_a_page_goes_on_where_it_ended_whatever_came_meanwhile(self, searched: Searched) -> None:
        searched.put(*(document(number) for number in range(5)))
        first = searched.page(limit=2)
        searched.put(document(9))
        assert searched.ids(before=first.next, limit=2) == ["e2", "e1"]
        last = searched.page(before=first.next, limit=4)
        assert (len(last.hits), last.next) == (3, None)

    def test_all_words_have_to_be_there_and_none_of_the_negative_ones(self, searched: Searched) -> None:
        searched.put(document(0, "one two"), document(1, "two three"), document(2, "Two, THREE; four"))
        assert searched.ids("two") == ["e2", "e1", "e0"]
        assert searched.ids("two", "three") == ["e2", "e1"]
        assert searched.ids("two", "-three") == ["e0"]
        assert searched.ids("-one", "-four") == ["e1"]
        assert searched.ids("five") == []

    def test_words_side_by_side_and_beginnings_are_found(self, searched: Searched) -> None:
        searched.put(document(0, "no valid host"), document(1, "host valid no"), document(2, "validation"))
        assert searched.ids("valid host") == ["e0"]
        assert searched.ids("valid*") == ["e2", "e1", "e0"]
        assert searched.ids("no val*") == ["e0"]
        assert searched.ids("-valid*") == []

    def test_what_looks_like_an_expression_is_words(self, searched: Searched) -> None:
        searched.put(document(0, "a OR b"), document(1, "a"), document(2, 'text : "near" NOT (x)'))
        assert searched.ids("a OR b") == ["e0"]
        assert searched.ids('text:"near"') == ["e2"]
        assert searched.ids("NOT (x)") == ["e2"]

    def test_fields_are_asked_for_exactly(self, searched: Searched) -> None:
        searched.put(
            document(0, subject="a b", queue=QueueKey("p", "other")),
            document(1, type="a.b", source="/x y", subject="a"),
            document(2, "a.b", type="a.bc"),
        )
        assert searched.ids(subject="a") == ["e1"]
        assert searched.ids(subject="a b") == ["e0"]
        assert searched.ids(type="a.b") == ["e1"]
        assert searched.ids(type="a.*") == ["e2", "e1"]
        assert searched.ids("-b", type="a.*") == ["e1"]
        assert searched.ids(source="/x y", type="a.b") == ["e1"]
        assert searched.ids(queue="other") == ["e0"]
        assert searched.ids(queue="nowhere") == []
        assert searched.ids(id="e1") == ["e1"]

    def test_a_search_can_begin_at_a_time(self, searched: Searched) -> None:
        for number in range(4):
            searched.put(document(number), now_ms=NOW_MS + number + 10)
        searched.put(document(9, posted_ms=NOW_MS + 1), now_ms=NOW_MS + 60)
        assert searched.ids(since_ms=NOW_MS + 2) == ["e3", "e2"]
        assert searched.ids(since_ms=NOW_MS + 1) == ["e9", "e3", "e2", "e1"]
        assert searched.ids(since_ms=NOW_MS + 90) == []

    def test_projects_are_apart(self, searched: Searched) -> None:
        searched.put(document(0, "secret"))
        searched.put(document(1, "secret"), project="other")
        assert searched.ids("secret") == ["e0"]
        assert searched.ids("secret", project="other") == ["e1"]
        assert searched.ids("secret", project="nobody") == []
        assert searched.run(searched.index.types("nobody", after="", limit=10)) == ()
        searched.run(searched.index.drop_project("p"))
        assert (searched.ids(), searched.ids(project="other")) == ([], ["e1"])

    def test_a_resource_is_as_its_latest_event_tells(self, searched: Searched) -> None:
        searched.put(_server(5, text="active"))
        searched.put(_server(3, text="building"), _server(1, name="s2"))
        assert searched.ids(shelf="resources") == ["e1", "e5"]
        assert searched.ids("building", shelf="resources") == []
        assert searched.ids("building") == ["e3"]
        searched.put(_server(6, text="stopped"))
        assert searched.ids(shelf="resources") == ["e6", "e1"]
        assert searched.ids("active", shelf="resources") == []
        assert searched.ids(shelf="resources", resource_id="s1", resource_type="OS::Nova::Server") == ["e6"]
        searched.put(document(7, resource=Change("OS::Nova::Server", "s1", partial=True)))
        assert searched.ids(shelf="resources") == ["e6", "e1"]
        assert searched.ids(resource_id="s1") == ["e7", "e6", "e3", "e5"]

    def test_what_was_deleted_does_not_come_back_with_an_older_event(self, searched: Searched) -> None:
        searched.put(_server(5, deleted=True), _server(4))
        assert searched.ids(shelf="resources") == []
        [gone] = searched.page(shelf="resources", deleted=True).hits
        assert gone.resource == Change("OS::Nova::Server", "s1", deleted=True)
        searched.put(_server(6))
        assert searched.ids(shelf="resources") == ["e6"]

    def test_facets_count_the_matches(self, searched: Searched) -> None:
        searched.put(document(0, type="a"), document(1, type="b"), document(2, "x", type="b"), _server(3, type="b"))
        work = searched.index.facets("events", "p", Asked(fields={"source": "/nova"}), ("type", "resource_type"))
        found = searched.run(work)
        assert found.complete
        assert found.counts == {"type": (("b", 3), ("a", 1)), "resource_type": (("OS::Nova::Server", 1),)}
        found = searched.run(searched.index.facets("events", "p", Asked(terms=(Term("x"),)), ("queue",)))
        assert found.counts == {"queue": (("q", 1),)}

    def test_the_catalogue_tells_of_types_and_who_produces_them(self, searched: Searched) -> None:
        searched.put(
            document(0, type="b", data={"n": 1}),
            document(1, type="a", source="/x"),
            document(2, type="b", source="/x", data={"n": None, "m": "x"}),
            document(3, type="b"),
        )
        first, second = searched.run(searched.index.types("p", after="", limit=10))
        assert (first.type, first.count, second.type, second.count) == ("a", 1, "b", 3)
        assert second.sources == (("/nova", 2), ("/x", 1))
        assert (second.first_ms, second.last_ms) == (NOW_MS, NOW_MS + 3)
        assert second.schema["required"] == ["n"]
        assert searched.run(searched.index.types("p", after="a", limit=10)) == (second,)
        assert searched.run(searched.index.types("p", after="", limit=1)) == (first,)

    def test_what_came_from_a_dropped_queue_is_not_found_and_what_comes_then_is(self, searched: Searched) -> None:
        other = QueueKey("p", "other")
        searched.put(_server(0, queue=other), document(1), document(2, queue=other._replace(kind="topic")))
        searched.run(searched.index.drop_queue(other, now_ms=NOW_MS))
        assert (searched.ids(), searched.ids(shelf="resources")) == (["e2", "e1"], [])
        searched.put(document(3, queue=other))
        assert self._swept(searched, before_ms=0) == 2
        assert searched.ids() == ["e3", "e2", "e1"]

    def test_an_event_that_came_to_several_queues_is_found_once_until_all_are_dropped(self, searched: Searched) -> None:
        one, other = QueueKey("p", "one"), QueueKey("p", "other")
        assert searched.put(document(0, queue=one)) == 1
        assert searched.put(document(0, queue=other, message_id="m"), document(1)) == 1
        assert searched.ids() == ["e1", "e0"]
        assert (searched.ids(queue="one"), searched.ids(queue="other")) == (["e0"], ["e0"])
        work = searched.index.facets("events", "p", Asked(), ("queue",))
        assert searched.run(work).counts == {"queue": (("one", 1), ("q", 1))}
        searched.run(searched.index.drop_queue(one, now_ms=NOW_MS))
        assert [(hit.queue, hit.message_id) for hit in searched.page().hits] == [("q", "m1"), ("other", "m")]
        self._swept(searched, before_ms=0)
        searched.run(searched.index.drop_queue(other, now_ms=NOW_MS))
        assert searched.ids() == ["e1"]

    def test_what_comes_again_to_a_dropped_queue_is_found_before_and_after_the_sweep(self, searched: Searched) -> None:
        searched.put(_server(0), document(1))
        searched.run(searched.index.drop_queue(QueueKey("p", "q"), now_ms=NOW_MS + 5))
        assert searched.put(_server(0, posted_ms=NOW_MS + 5)) == 1
        assert (searched.ids(), searched.ids(shelf="resources")) == (["e0"], ["e0"])
        self._swept(searched, before_ms=0)
        assert (searched.ids(), searched.ids(shelf="resources")) == (["e0"], ["e0"])

    def test_what_was_posted_before_its_queue_was_dropped_is_not_put(self, searched: Searched) -> None:
        searched.run(searched.index.drop_queue(QueueKey("p", "q"), now_ms=NOW_MS + 5))
        for new in (2, 0):
            assert searched.put(document(4), document(5), document(4, queue=QueueKey("p", "r"))) == new
            assert searched.ids() == ["e4", "e5"]
            self._swept(searched, before_ms=0)

    def test_a_resource_is_as_the_queues_tell_that_were_not_dropped(self, searched: Searched) -> None:
        one, other = QueueKey("p", "one"), QueueKey("p", "other")
        searched.put(_server(3, queue=one, text="building"), _server(5, queue=other, text="active"))
        searched.put(_server(4, queue=one, text="paused"))
        assert searched.ids(shelf="resources") == ["e5"]
        assert searched.ids("paused", shelf="resources") == []
        searched.run(searched.index.drop_queue(other, now_ms=NOW_MS + 9))
        assert searched.ids(shelf="resources") == searched.ids("paused", shelf="resources") == ["e4"]
        self._swept(searched, before_ms=0)
        assert searched.ids(shelf="resources") == ["e4"]

    def test_a_resource_that_one_queue_told_the_end_of_does_not_come_back_with_another_queue(
        self, searched: Searched
    ) -> None:
        one, other = QueueKey("p", "one"), QueueKey("p", "other")
        searched.put(_server(3, queue=one), _server(5, queue=other, deleted=True), _server(4, queue=one))
        assert searched.ids(shelf="resources") == []
        assert searched.ids(shelf="resources", deleted=True) == ["e5"]
        self._swept(searched, before_ms=NOW_MS + 1)
        assert searched.ids(shelf="resources", deleted=True) == []

    def test_the_sweep_removes_what_is_old_and_keeps_resources_that_are_there(self, searched: Searched) -> None:
        searched.put(_server(0), _server(1, name="s2", deleted=True))
        searched.put(document(2, posted_ms=NOW_MS + 1_000), now_ms=NOW_MS + 1_000)
        assert self._swept(searched, before_ms=NOW_MS + 1_000) == 3
        assert searched.ids() == ["e2"]
        assert searched.ids(shelf="resources", deleted=True) == ["e0"]
        assert len(searched.run(searched.index.types("p", after="", limit=10))) == 1
        self._swept(searched, before_ms=NOW_MS + 1_001)
        assert searched.run(searched.index.types("p", after="", limit=10)) == ()

    def test_a_project_keeps_no_more_than_so_many_bytes(self, tmp_path: Path) -> None:
        searched = Searched(self.make_index(tmp_path, bytes_max=1_000))
        for number in range(20):
            event = b'{"id": "e%d", "pad": "%s"}' % (number, b"x" * 80)
            searched.put(_server(number, event=event))
        searched.put(document(0), project="other")
        assert searched.ids() == [f"e{number}" for number in range(19, 11, -1)]
        assert searched.ids(shelf="resources") == ["e19"]
        assert searched.ids(project="other") == ["e0"]
        searched.close()

    @settings(max_examples=60, deadline=None, suppress_health_check=_HELD)
    @given(
        texts=st.lists(st.lists(st.sampled_from(_WORDS), max_size=4).map(" ".join), min_size=1, max_size=6),
        terms=st.lists(
            st.builds(
                Term,
                st.lists(st.sampled_from(_WORDS), min_size=1, max_size=2).map(" ".join) | st.sampled_from(["al", "b"]),
                prefix=st.booleans(),
                negative=st.booleans(),
            ),
            max_size=3,
        ),
        since=st.none() | st.integers(0, 5),
    )
    def test_documents_match_a_question_exactly_when_it_finds_them(
        self, searched: Searched, texts: list[str], terms: list[Term], since: int | None
    ) -> None:
        documents = [
            document(number, text, type="a.b" if number % 2 else "a.c", queue=QueueKey("h", "q"))
            for number, text in enumerate(texts)
        ]
        searched.run(searched.index.drop_project("h"))
        searched.put(*documents, project="h")
        since_ms = None if since is None else NOW_MS + since
        asked = [
            Asked(terms=tuple(terms), since_ms=since_ms),
            Asked(terms=tuple(terms), fields={"type": "a.b"}, since_ms=since_ms),
        ]
        matching = searched.run(searched.index.matches(documents, asked))
        for question, numbers in zip(asked, matching, strict=True):
            assert numbers is not None
            hits = searched.run(searched.index.find("events", "h", question, before=None, limit=100)).hits
            assert [hit.message_id for hit in hits] == [f"m{number}" for number in reversed(numbers)]

    def _swept(self, searched: Searched, *, before_ms: int) -> int:
        """Sweep until nothing is left to do, and return how much was removed."""
        total = 0
        while removed := searched.run(searched.index.sweep(before_ms=before_ms, limit=100)):
            total += removed
        return total


class DurableSearchContract(SearchContract):
    """What an index has to pass that keeps things beyond its life."""

    def test_what_a_put_took_is_there_after_closing(self, tmp_path: Path) -> None:
        searched = Searched(self.make_index(tmp_path, bytes_max=BYTES_MAX))
        searched.put(document(0, "word"))
        searched.close()
        searched = Searched(self.make_index(tmp_path, bytes_max=BYTES_MAX))
        assert searched.ids("word") == ["e0"]
        assert searched.put(document(0)) == 0
        searched.close()

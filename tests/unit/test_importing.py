"""An import finds everything that can be found, has patience, and remembers."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal.client import Answer, Client, Refused, Retries, Unexpected
from sukkal.importing.attributes import compare, given
from sukkal.importing.destination import Destination
from sukkal.importing.journal import Journal, JournalError
from sukkal.importing.nouns import Message, Unreadable
from sukkal.importing.project import Bringing, Wanted
from sukkal.importing.zaqar import Zaqar
from tests.answering import Answering, Asked, Said

FREE: Final = "free"
CLAIMED: Final = "claimed"
DELAYED: Final = "delayed"
EXPIRED: Final = "expired"
HELD: Final = {CLAIMED, DELAYED}


class Fake(Client):
    """A service that answers as a function says."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", project="p")

    async def request(self, method: str, path: str, *_: Any, query: Any = None, **__: Any) -> Answer:
        return Answer(200, {}, self.answer(path, query or {}))

    def answer(self, path: str, query: Any) -> Any:
        raise NotImplementedError


class Places(Fake):
    """A queue as Redis keeps it: a page is a stretch of places, from which some are left out."""

    def __init__(self, states: Sequence[str]) -> None:
        super().__init__()
        self._states = states
        self.asked = 0

    def answer(self, path: str, query: Any) -> Any:
        self.asked += 1
        if path.endswith("/stats"):
            return {"messages": {"total": len(self._states)}}
        marker, claimed = query.get("marker", ""), "include_claimed" in query
        if not marker and not claimed:
            start = next((at for at, state in enumerate(self._states) if state in (FREE, DELAYED)), 0)
        else:
            place = int(marker[1:]) if marker.startswith("m") else 0
            start = place + 1 if place else 0
        hidden = {EXPIRED} | (set() if claimed else {CLAIMED}) | (set() if "include_delayed" in query else {DELAYED})
        window = range(start, min(start + 20, len(self._states)))
        found = [_message(at) for at in window if self._states[at] not in hidden]
        link = {"rel": "next", "href": f"{path}?limit=20&marker={found[-1]['id']}"} if found else None
        return {"messages": found, "links": [link] if link else []}


class Numbers(Fake):
    """A queue as MongoDB keeps it: a marker is a number, and a page has twenty of those that are asked for."""

    def __init__(self, states: Sequence[str]) -> None:
        super().__init__()
        self._states = states

    def answer(self, path: str, query: Any) -> Any:
        hidden = {EXPIRED}
        hidden |= set() if "include_claimed" in query else {CLAIMED}
        hidden |= set() if "include_delayed" in query else {DELAYED}
        after = int(query.get("marker", "0"))
        found = [at for at, state in enumerate(self._states, 1) if at > after and state not in hidden][:20]
        link = {"rel": "next", "href": f"{path}?marker={found[-1]}&limit=20"} if found else None
        return {"messages": [_message(at - 1) for at in found], "links": [link] if link else []}


def _message(at: int) -> dict[str, Any]:
    return {"id": f"m{at}", "href": f"/v2/queues/q/messages/m{at}", "ttl": 300, "age": 10, "body": at}


def _walk(service: Client) -> tuple[list[Any], int]:
    async def walk() -> tuple[list[Any], int]:
        windows = [window async for window in Zaqar(service).messages("q")]
        return [message.body for window in windows for message in window.free], sum(w.held for w in windows)

    return asyncio.run(walk())


def _free(states: Sequence[str]) -> list[int]:
    return [at for at, state in enumerate(states) if state == FREE]


@pytest.mark.parametrize("store", [Places, Numbers])
@pytest.mark.parametrize("seed", range(60))
def test_all_that_is_free_is_found_once_and_in_order(store: type[Places | Numbers], seed: int) -> None:
    lots = random.Random(seed)
    blocks = [[lots.choice([FREE, CLAIMED, DELAYED])] * lots.randint(1, 45) for _ in range(lots.randint(0, 6))]
    states = [state for block in blocks for state in block]
    found, held = _walk(store(states))
    assert found == _free(states)
    assert held == sum(state in HELD for state in states)


@pytest.mark.parametrize("seed", range(60))
def test_expired_messages_make_no_walk_endless_and_nothing_come_twice(seed: int) -> None:
    lots = random.Random(seed)
    states = [lots.choice([FREE, CLAIMED, EXPIRED, EXPIRED]) for _ in range(lots.randint(0, 150))]
    places = Places(states)
    found, _ = _walk(places)
    assert set(found) <= set(_free(states))
    assert found == sorted(set(found))
    assert places.asked < 60


@pytest.mark.parametrize("store", [Places, Numbers])
@pytest.mark.parametrize("number", [0, 1, 2, 20, 21])
def test_a_walk_ends_whatever_the_size(store: type[Places | Numbers], number: int) -> None:
    assert _walk(store([FREE] * number)) == (list(range(number)), 0)


class Consumed(Places):
    """A queue of which somebody deletes the message at which a listing is to go on."""

    def answer(self, path: str, query: Any) -> Any:
        if query.get("marker") == "m39" and "include_claimed" in query:
            self._states = [EXPIRED if at == 39 else state for at, state in enumerate(self._states)]
            query = {**query, "marker": "0"}
        return super().answer(path, query)


def test_a_listing_that_begins_anew_is_followed_to_its_end() -> None:
    assert _walk(Consumed([FREE] * 130)) == (list(range(130)), 0)


def test_a_listing_of_queues_that_goes_in_circles_ends() -> None:
    class Circle(Fake):
        def answer(self, path: str, query: Any) -> Any:
            if path != "/v2/queues":
                return {}
            return {"queues": [{"name": "q", "metadata": {}}], "links": [{"href": "/v2/queues?marker=q"}]}

    async def names() -> list[str]:
        return [name async for name, _ in Zaqar(Circle()).queues()]

    assert asyncio.run(names()) == ["q"]


class Gone(Fake):
    """A queue whose messages and subscriptions are over."""

    def answer(self, path: str, query: Any) -> Any:
        if path.endswith("/messages"):
            return {"messages": [{**_message(1), "age": 300}], "links": []}
        if path.endswith("/subscriptions"):
            each = {"id": "s", "subscriber": "mailto:a@b", "ttl": 60, "age": 61, "options": {}}
            return {"subscriptions": [each], "links": []}
        if path.endswith("/stats"):
            return {"messages": {"total": 1}}
        return {"queues": [{"name": "q", "metadata": {}}], "links": []} if path == "/v2/queues" else {}


class Taker(Fake):
    """A service that takes queues and nothing else."""

    def answer(self, path: str, query: Any) -> Any:
        assert not path.endswith("/messages")
        return {"subscriptions": [], "links": []}


def test_what_is_over_is_counted_and_not_brought() -> None:
    bringing = Bringing(
        "p",
        Zaqar(Gone()),
        Destination(Taker()),
        wanted=Wanted(),
        journal=Journal(None, source="", destination=""),
        tell=lambda report, done: None,
    )
    [report] = asyncio.run(bringing.run())
    assert (report.expired, report.messages, report.subscriptions, report.complete) == (2, 0, 0, True)


def test_messages_behind_many_that_have_expired_are_found() -> None:
    states = [EXPIRED] * 45 + [FREE] * 30
    assert _walk(Places(states)) == (_free(states), 0)


def test_counts_that_zaqar_does_not_tell_are_not_waited_for() -> None:
    assert asyncio.run(Zaqar(Failing(Refused(503, "broken"))).count("q")) is None


def test_a_queue_that_cannot_be_listed_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="broken"):
        _walk(Failing(Refused(503, "broken")))


def test_a_page_of_something_else_is_said_to_be_that() -> None:
    class Page(Fake):
        def answer(self, path: str, query: Any) -> Any:
            return {"messages": [{"id": "m"}], "links": []}

    with pytest.raises(Unexpected):
        _walk(Page())


class Failing(Fake):
    """A service that fails some times before it answers."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self._errors = list(errors)

    def answer(self, path: str, query: Any) -> Any:
        if self._errors:
            raise self._errors.pop(0)
        return "answered"


def test_both_sides_are_asked_again_by_the_client_and_the_source_is_told_the_project() -> None:
    none, made = Said(200, b'{"messages": [], "links": []}'), Said(201)

    async def bring(url: str) -> None:
        async with Client(url, project="p", retries=Retries(first_s=0.001, longest_s=0.002)) as client:
            assert [window async for window in Zaqar(client, "other").messages("q")] == []
            assert await Destination(client).post("q", Message("1", "body", 300))

    busy = {"GET": [Said(503), Said(502)], "POST": [Said(500)]}

    def judge(asked: Asked) -> Said:
        if busy[asked.method]:
            return busy[asked.method].pop()
        return none if asked.method == "GET" else made

    with Answering(judge) as service:
        asyncio.run(bring(service.url))
        assert [asked.method for asked in service.asked] == [*["GET"] * 4, *["POST"] * 2]
        assert {asked.headers["x-project-id"] for asked in service.asked[:4]} == {"other"}


def test_only_metadata_that_a_queue_was_given_count() -> None:
    defaults = {"_ttl": 3600, "_size": None}
    assert given({"_ttl": 3600, "_size": None, "a": 1}, defaults) == {"a": 1}
    assert given({"_ttl": 600, "_size": False}, defaults) == {"_ttl": 600, "_size": False}


def test_metadata_that_somebody_has_changed_are_kept_and_those_that_are_alike_not_written() -> None:
    lacking = compare(
        {"_ttl": 600, "_size": 5, "a": 1, "same": True}, {"_ttl": 3600, "_size": 6, "same": True}, {"_ttl": 3600}
    )
    assert lacking.wanted == {"_ttl": 600, "a": 1}
    assert lacking.kept == ("_size",)


def _journal(path: Path, destination: str = "there") -> Journal:
    return Journal(path, source="here", destination=destination)


def test_a_journal_knows_what_another_run_has_noted(tmp_path: Path) -> None:
    with _journal(tmp_path / "state") as journal:
        journal.add("p", "q", ["1", "2"])
        journal.add("p", "q", [])
    with _journal(tmp_path / "state") as journal:
        journal.add("p", "q", ["3"])
        assert [journal.has("p", "q", id_) for id_ in "1234"] == [True, True, True, False]
        assert not journal.has("p", "other", "1")
    assert (tmp_path / "state").read_text().count("\n") == 3


def test_a_line_that_was_cut_off_is_written_anew(tmp_path: Path) -> None:
    with _journal(tmp_path / "state") as journal:
        journal.add("p", "q", ["1"])
        journal.add("p", "q", ["2"])
    whole = (tmp_path / "state").read_text()
    (tmp_path / "state").write_text(whole[:-4])
    with _journal(tmp_path / "state") as journal:
        assert (journal.has("p", "q", "1"), journal.has("p", "q", "2")) == (True, False)
        journal.add("p", "q", ["2"])
    assert (tmp_path / "state").read_text() == whole


def test_a_journal_of_other_services_is_refused(tmp_path: Path) -> None:
    with _journal(tmp_path / "state"):
        pass
    with pytest.raises(JournalError), _journal(tmp_path / "state", "elsewhere"):
        pass

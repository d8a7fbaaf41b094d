"""Saved searches: what they find is posted to a queue."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sukkal import limits
from sukkal.indexes.sqlite_fts import SqliteIndex
from sukkal.search import Asked, Document
from tests.api.calling import Service, refused
from tests.api.sockets import Socket
from tests.api.test_search import notification, searched


def save(service: Service, name: str = "mine", **document: Any) -> None:
    """Save a search."""
    assert service.put(f"/v2/searches/{name}", json=document).status_code == 201


def ids(service: Service, queue: str = "hits") -> list[str]:
    """Return the ids of the events that were posted to a queue."""
    return [body["id"] for body in service.bodies(queue=queue)]


def test_what_a_saved_search_finds_is_posted_to_its_queue(service: Service) -> None:
    searched(service)
    save(service, q="error", type="compute.*", queue="hits")
    service.post_bodies(
        notification(1, state="error"), notification(2, state="active"), notification(3, "port.create", x="error")
    )
    service.deliver()
    service.post_bodies(notification(4, note="an ERROR occurred"))
    service.deliver()
    assert ids(service) == ["n1", "n4"]
    assert service.bodies(queue="hits")[0]["data"] == {"state": "error"}


def test_changes_of_a_resource_are_posted(service: Service) -> None:
    searched(service)
    save(service, resource_type="OS::Nova::Server", resource_id="i1", queue="hits")
    service.post_bodies(notification(1, instance_id="i1"), notification(2, instance_id="i2"))
    service.deliver()
    assert ids(service) == ["n1"]


def test_each_search_is_told_of_an_event_once(service: Service) -> None:
    searched(service)
    searched(service, "also")
    save(service, "one", q="word", queue="hits")
    save(service, "two", q="word", queue="others")
    for queue in ("q", "also"):
        service.post_bodies(notification(1, x="word"), queue=queue)
    service.deliver()
    assert (ids(service), ids(service, "others")) == (["n1"], ["n1"])


def test_a_queue_that_is_searched_itself_makes_no_circle(service: Service) -> None:
    searched(service)
    searched(service, "hits")
    searched(service, "more")
    save(service, "one", q="word", queue="hits")
    save(service, "two", q="word", queue="more")
    save(service, "back", q="word", queue="q")
    service.post_bodies(notification(1, x="word"))
    for _ in range(10):
        service.deliver()
    assert (ids(service), ids(service, "more"), len(service.bodies(queue="q"))) == (["n1"], ["n1"], 1)


def test_a_target_that_is_full_is_tried_again_and_keeps_nothing_else_waiting(start: Callable[..., Service]) -> None:
    service = start()
    assert service.put("/v2/limits/p", json={"messages": 2}, headers={"x-roles": "admin"}).status_code == 200
    searched(service)
    save(service, q="word", queue="hits")
    service.post_bodies(notification(1, x="word"), notification(2))
    service.deliver()
    assert ids(service) == []
    assert len(service.get("/v2/events").json()["events"]) == 2
    service.delete("/v2/limits/p", headers={"x-roles": "admin"})
    service.pass_s(6)
    service.deliver()
    assert ids(service) == ["n1"]


def test_searches_are_listed_shown_replaced_and_deleted(service: Service) -> None:
    save(service, "b", q="x", queue="hits")
    save(service, "a", type="a.b", queue="hits")
    one = {"name": "a", "type": "a.b", "queue": "hits"}
    assert service.get("/v2/searches/a").json() == one
    page = service.get("/v2/searches?limit=1").json()
    assert page["searches"] == [one]
    assert [each["name"] for each in service.get(page["links"][0]["href"]).json()["searches"]] == ["b"]
    assert service.put("/v2/searches/a", json={"q": "y", "queue": "hits"}).status_code == 200
    assert service.get("/v2/searches/a").json() == {"name": "a", "q": "y", "queue": "hits"}
    assert service.delete("/v2/searches/a").status_code == 204
    assert service.delete("/v2/searches/a").status_code == 204
    refused(service.get("/v2/searches/a"), 404, "a")
    refused(service.get("/v2/searches/b", project="other"), 404, "b")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"q": "x"}, ("queue",)),
        ({"q": "x", "queue": "no/queue"}, ("queue",)),
        ({"queue": "hits"}, ("asks for something",)),
        ({"q": "-", "queue": "hits"}, ("q, character 1",)),
        ({"q": 5, "queue": "hits"}, ("q must be a text",)),
        ({"q": "x", "colour": "red", "queue": "hits"}, ("colour",)),
    ],
)
def test_a_search_that_cannot_be_saved_is_refused(
    service: Service, document: dict[str, Any], words: tuple[str, ...]
) -> None:
    refused(service.put("/v2/searches/mine", json=document), 400, *words)
    refused(service.put("/v2/searches/no%20name", json={"q": "x", "queue": "q"}), 400, "name of a search")


def test_members_that_there_are_not_are_named_over_a_websocket_too(service: Service) -> None:
    with Socket(service) as socket:
        document = {"search_name": "mine", "q": "x", "queue": "hits", "colour": "red"}
        socket.ask("search_create", document).refused(400, "colour")


def test_a_project_may_save_so_many(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEARCHES_PER_PROJECT_MAX", 2)
    for name in ("a", "b"):
        save(service, name, q="x", queue="hits")
    refused(service.put("/v2/searches/c", json={"q": "x", "queue": "hits"}), 429, "2 saved searches")
    assert service.put("/v2/searches/b", json={"q": "y", "queue": "hits"}).status_code == 200


def test_no_more_are_saved_than_allowed_however_many_at_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEARCHES_PER_PROJECT_MAX", 2)
    save(service, "a", q="x", queue="hits")

    async def at_once() -> list[int]:
        document = {"q": "x", "queue": "hits"}
        answers = [service.request("PUT", f"/v2/searches/s{number}", json=document) for number in range(10)]
        return [answer.status_code for answer in await asyncio.gather(*answers)]

    assert sorted(service.run(at_once())) == [201] + [429] * 9


def test_all_saved_searches_are_asked_also_those_from_when_more_were_allowed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched(service)
    for name in "abc":
        save(service, name, q="word", queue=f"hits-{name}")
    monkeypatch.setattr(limits, "SEARCHES_PER_PROJECT_MAX", 1)
    service.post_bodies(notification(1, x="word"))
    service.deliver()
    assert [ids(service, f"hits-{name}") for name in "abc"] == [["n1"]] * 3


def test_a_batch_that_takes_longer_than_its_lease_is_done_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = SqliteIndex.matches, []

    async def slower(self: SqliteIndex, documents: Sequence[Document], questions: Sequence[Asked]) -> Any:
        asked.append(len(documents))
        service.clock.advance((limits.SEARCH_LEASE_S + 5) * 1_000)
        return await real(self, documents, questions)

    monkeypatch.setattr(SqliteIndex, "matches", slower)
    searched(service)
    save(service, q="word", queue="hits")
    service.post_bodies(notification(1, x="word"))
    for _ in range(3):
        service.deliver()
        service.pass_s(60)
    assert (asked, ids(service)) == ([1], ["n1"])
    assert "sukkal_index_failures_total 0.0" in service.get("/metrics").text


def test_many_searches_are_asked_of_few_events_at_once_and_the_lease_lasts(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, asked = SqliteIndex.matches, []

    async def slow(self: SqliteIndex, documents: Sequence[Document], questions: Sequence[Asked]) -> Any:
        asked.append(len(documents))
        service.clock.advance(limits.SEARCH_LEASE_S * 500)
        return await real(self, documents, questions)

    monkeypatch.setattr(SqliteIndex, "matches", slow)
    monkeypatch.setattr(limits, "SEARCH_ASKED_AT_ONCE", 4)
    searched(service)
    for name in "ab":
        save(service, name, q="word", queue=f"hits-{name}")
    service.post_bodies(*(notification(number, x="word") for number in range(7)))
    service.deliver()
    assert asked == [2, 2, 2, 1]
    assert "lease" not in caplog.text
    assert len(ids(service, "hits-a")) == 7
    service.pass_s(3_600)
    service.deliver()
    assert len(asked) == 4


def test_a_search_that_takes_too_long_is_left_out_counted_and_named(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = SqliteIndex.matches

    async def first_is_dear(self: SqliteIndex, documents: Sequence[Document], questions: Sequence[Asked]) -> Any:
        return [None, *(await real(self, documents, questions))[1:]]

    monkeypatch.setattr(SqliteIndex, "matches", first_is_dear)
    searched(service)
    save(service, "dear", q="word", queue="hits-dear")
    save(service, "fine", q="word", queue="hits-fine")
    service.post_bodies(notification(1, x="word"))
    service.deliver()
    assert (ids(service, "hits-dear"), ids(service, "hits-fine")) == ([], ["n1"])
    assert "sukkal_saved_searches_skipped_total 1.0" in service.get("/metrics").text
    assert "dear of project p took too long" in caplog.text


def test_saving_wants_the_right_to_post(start: Callable[..., Service], tmp_path: Any) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text('"messages:create": "role:poster"\n')
    service = start(policy_file=str(policy))
    refused(service.put("/v2/searches/mine", json={"q": "x", "queue": "hits"}), 403, "authorized")
    answer = service.put("/v2/searches/mine", json={"q": "x", "queue": "hits"}, headers={"x-roles": "poster"})
    assert answer.status_code == 201

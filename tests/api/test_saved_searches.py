"""Saved searches: what they find is posted to a queue."""

from collections.abc import Callable
from typing import Any

import pytest

from sukkal import limits
from tests.api.calling import Service, refused
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


def test_a_project_may_save_so_many(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEARCHES_PER_PROJECT_MAX", 2)
    for name in ("a", "b"):
        save(service, name, q="x", queue="hits")
    refused(service.put("/v2/searches/c", json={"q": "x", "queue": "hits"}), 429, "2 saved searches")
    assert service.put("/v2/searches/b", json={"q": "y", "queue": "hits"}).status_code == 200


def test_saving_wants_the_right_to_post(start: Callable[..., Service], tmp_path: Any) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text('"messages:create": "role:poster"\n')
    service = start(policy_file=str(policy))
    refused(service.put("/v2/searches/mine", json={"q": "x", "queue": "hits"}), 403, "authorized")
    answer = service.put("/v2/searches/mine", json={"q": "x", "queue": "hits"}, headers={"x-roles": "poster"})
    assert answer.status_code == 201

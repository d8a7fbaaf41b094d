"""Searching over HTTP: what is posted to queues that ask for it is found again."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

import apsw
import pytest

from sukkal.indexes.sqlite_fts import writing
from sukkal.search import Document
from tests.api.calling import Service, refused
from tests.api.sockets import Socket


def searched(service: Service, queue: str = "q", **metadata: Any) -> None:
    """Make a queue whose events are found."""
    assert service.put(f"/v2/queues/{queue}", json={"_search": True, **metadata}).status_code == 201


def notification(number: int, event_type: str = "compute.instance.update", **payload: Any) -> dict[str, Any]:
    """Return a notification as Nova sends it."""
    return {
        "message_id": f"n{number}",
        "publisher_id": "compute.host1",
        "event_type": event_type,
        "priority": "INFO",
        "timestamp": f"2023-11-14 22:00:{number:02}.000000",
        "payload": payload,
    }


def found(service: Service, query: str = "", kind: str = "events", project: str = "p") -> list[str]:
    """Return the ids of the events that a search finds, from all its pages."""
    ids: list[str] = []
    path: str | None = f"/v2/{kind}?{query}"
    while path:
        document = service.get(path, project=project).json()
        ids += [hit["event"]["id"] for hit in document[kind]]
        path = document["links"][0]["href"] if document["links"] else None
    return ids


def test_what_is_posted_to_a_queue_that_is_searched_is_found(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1, instance_id="i1", state="active"), notification(2, state="error"))
    service.post_bodies(notification(3, state="active"), queue="other")
    service.deliver()
    assert found(service) == ["n2", "n1"]
    assert found(service, "q=active") == ["n1"]
    assert found(service, "q=-active") == ["n2"]
    assert found(service, "subject=i1&type=compute.*&source=/compute.host1&queue=q") == ["n1"]
    [hit] = service.get("/v2/events?q=active").json()["events"]
    assert hit["event"]["data"] == {"instance_id": "i1", "state": "active"}
    assert hit["resource"] == {"type": "OS::Nova::Server", "id": "i1", "deleted": False}
    assert (hit["queue"], hit["posted"]) == ("q", "2023-11-14T22:13:20.000Z")
    assert service.get(f"/v2/queues/q/messages/{hit['message_id']}").status_code == 200


def test_messages_of_topics_and_events_posted_as_such_are_found(service: Service) -> None:
    service.put("/v2/topics/t", json={"_search": True})
    service.post("/v2/topics/t/messages", json={"messages": [{"body": "plain words"}]})
    event = {"specversion": "1.0", "id": "e1", "source": "/s", "type": "a.b", "data": {"n": 1.50}}
    service.post("/v2/topics/t/events", json=event, headers={"content-type": "application/cloudevents+json"})
    service.deliver()
    assert len(found(service, "q=%22plain+words%22")) == 1
    [hit] = service.get("/v2/events?type=a.b").json()["events"]
    assert hit["event"] == event


def test_what_is_forwarded_or_normalised_is_one_event(service: Service) -> None:
    searched(service, "copy")
    searched(service, _normalize="cloudevents")
    service.post("/v2/queues/q/subscriptions", json={"subscriber": "queue:copy", "ttl": 600})
    service.post_bodies(notification(1))
    for _ in range(3):
        service.deliver()
    assert service.bodies(queue="copy")
    assert found(service) == ["n1"]


def test_pages_go_on_where_they_ended(service: Service) -> None:
    searched(service)
    service.post_bodies(*(notification(number) for number in range(7)))
    service.deliver()
    assert found(service, "limit=3&q=compute") == [f"n{number}" for number in range(6, -1, -1)]
    path = service.get("/v2/events?limit=3").json()["links"][0]["href"]
    service.post_bodies(notification(8))
    service.deliver()
    assert [hit["event"]["id"] for hit in service.get(path).json()["events"]] == ["n3", "n2", "n1"]


def test_a_search_can_begin_at_a_time(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1))
    service.deliver()
    service.pass_s(3_600)
    service.post_bodies(notification(2))
    service.deliver()
    assert found(service, "since=2023-11-14T23:13:20Z") == ["n2"]
    assert found(service, "since=2023-11-14T23:13:21Z") == []


def test_what_is_delayed_is_found_when_it_can_be_seen(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1), delay=60)
    service.deliver()
    assert found(service) == []
    service.pass_s(60)
    service.deliver()
    assert found(service) == ["n1"]


def test_facets_count_what_matches(service: Service) -> None:
    searched(service)
    service.post_bodies(*(notification(number, "a.b" if number % 3 else "c.d", x="word") for number in range(6)))
    service.deliver()
    facets = service.get("/v2/events?q=word&facets=type,queue&limit=1").json()["facets"]
    assert facets["complete"] is True
    assert facets["counts"]["type"] == [{"value": "a.b", "count": 4}, {"value": "c.d", "count": 2}]
    assert facets["counts"]["queue"] == [{"value": "q", "count": 6}]
    refused(service.get("/v2/events?facets=colour"), 400, "facets", "resource_type")


def test_a_resource_is_as_its_latest_event_tells_until_it_is_gone(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(5, instance_id="i1", state="active"), notification(2, instance_id="i1"))
    service.post_bodies(notification(1, "port.create.end", port={"id": "p1", "name": "eth"}))
    service.deliver()
    assert found(service, kind="resources") == ["n1", "n5"]
    assert found(service, "q=eth&resource_type=OS::Neutron::Port", kind="resources") == ["n1"]
    service.post_bodies(notification(9, "compute.instance.delete.end", instance_id="i1"))
    service.deliver()
    assert found(service, kind="resources") == ["n1"]
    assert found(service, "resource_id=i1&deleted=true", kind="resources") == ["n9"]
    assert found(service, "resource_id=i1") == ["n9", "n2", "n5"]


def test_the_catalogue_shows_types_with_producers_a_sample_and_a_schema(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1, state="active"), notification(2, state=None, host="h"), notification(3, "a.b"))
    service.deliver()
    first, second = service.get("/v2/events/types").json()["types"]
    assert (first["type"], second["type"], second["count"]) == ("a.b", "compute.instance.update", 2)
    assert second["producers"] == [{"source": "/compute.host1", "count": 2}]
    assert second["sample"] == {"source": "/compute.host1", "id": "n2"}
    assert second["schema"] == {
        "type": "object",
        "properties": {"state": {"type": ["null", "string"]}, "host": {"type": "string"}},
        "required": ["state"],
    }
    page = service.get("/v2/events/types?limit=1").json()
    assert service.get(page["links"][0]["href"]).json()["types"] == [second]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("q=%22open", ("q, character 1", "closing quote")),
        ("q=fine+%21%21", ("q, character 6", "letter or digit")),
        ("q=a*", ("q, character 1", "star")),
        ("q=" + "+".join(["w"] * 17), ("16 words",)),
        ("q=" + "w" * 1_025, ("1024 characters",)),
        ("type=" + "t" * 1_025, ("type", "1024 characters")),
        ("since=yesterday", ("since", "2026-01-31T12:00:00Z")),
        ("marker=x", ("marker",)),
        ("limit=0", ("Limit",)),
    ],
)
def test_a_search_that_cannot_be_understood_is_refused(service: Service, query: str, words: tuple[str, ...]) -> None:
    refused(service.get(f"/v2/events?{query}"), 400, *words)


@pytest.mark.parametrize(
    ("metadata", "word"),
    [
        ({"_search": "yes"}, "boolean"),
        ({"_search": True, "_enable_encrypt_messages": True}, "encrypt"),
        ({"_search": True, "_persistence": "none"}, "_persistence"),
    ],
)
def test_a_queue_that_cannot_be_searched_is_refused(
    start: Callable[..., Service], metadata: dict[str, Any], word: str
) -> None:
    service = start(encryption_keys="k1:" + b64encode(bytes(32)).decode())
    refused(service.put("/v2/queues/q", json=metadata), 400, "_search", word)


def test_nothing_of_it_shows_among_the_tenants_own_things(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1))
    usage = service.get("/v2/usage").json()["usage"]
    assert (usage["queues"], usage["messages"], usage["subscriptions"]) == (1, 1, 0)
    assert service.get("/v2/queues/q/subscriptions").json()["subscriptions"] == []
    assert service.get("/v2/subscriptions").json() == []
    assert [each["name"] for each in service.get("/v2/queues").json()["queues"]] == ["q"]


def test_projects_find_only_their_own(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1, secret="word"))
    service.put("/v2/searches/mine", json={"q": "word", "queue": "mine"}, project="other")
    service.deliver()
    assert found(service, "q=word", project="other") == []
    assert service.get("/v2/events?facets=type", project="other").json()["facets"]["counts"] == {"type": []}
    assert service.get("/v2/events/types", project="other").json()["types"] == []
    assert service.get("/v2/queues/mine/messages?echo=true", project="other").json()["messages"] == []


def test_what_a_deleted_queue_had_is_not_found_any_more(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1, instance_id="i1"))
    service.deliver()
    service.post_bodies(notification(2))
    service.delete("/v2/queues/q")
    service.pass_s(1)
    searched(service)
    service.post_bodies(notification(3))
    service.deliver()
    assert found(service) == ["n3"]
    assert found(service, kind="resources") == []


def test_what_is_not_to_be_searched_any_more_is_not_found_any_more(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1))
    service.deliver()
    change = [{"op": "replace", "path": "/metadata/_search", "value": False}]
    patch = "application/openstack-messaging-v2.0-json-patch"
    assert service.patch("/v2/queues/q", json=change, headers={"content-type": patch}).status_code == 200
    service.post_bodies(notification(2))
    service.deliver()
    assert found(service) == []


def test_a_purged_queue_is_not_found_any_more_not_even_what_was_on_its_way(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1, secret="hunter2"))
    service.deliver()
    service.post_bodies(notification(2, secret="hunter3"))
    service.pass_s(1)
    assert service.post("/v2/queues/q/purge", json={"resource_types": ["messages"]}).status_code == 204
    assert found(service) == []
    service.deliver()
    assert found(service) == []
    service.post_bodies(notification(3))
    service.deliver()
    assert found(service) == ["n3"]


def test_purging_subscriptions_leaves_what_is_found(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1))
    service.deliver()
    service.post("/v2/queues/q/purge", json={"resource_types": ["subscriptions"]})
    assert found(service) == ["n1"]


def test_an_event_of_two_queues_is_found_until_both_are_deleted(service: Service) -> None:
    for queue in ("a", "b"):
        searched(service, queue)
        service.post_bodies(notification(1), queue=queue)
    service.deliver()
    service.delete("/v2/queues/a")
    assert [hit["queue"] for hit in service.get("/v2/events").json()["events"]] == ["b"]
    service.delete("/v2/queues/b")
    assert found(service) == []


def test_a_resource_is_known_from_the_queues_that_are_left(service: Service) -> None:
    searched(service, "a")
    searched(service, "b")
    service.post_bodies(notification(1, instance_id="i1"), queue="b")
    service.deliver()
    service.post_bodies(notification(2, instance_id="i1"), queue="a")
    service.deliver()
    assert found(service, kind="resources") == ["n2"]
    service.delete("/v2/queues/a")
    assert found(service, kind="resources") == ["n1"]


def test_an_event_posted_to_a_queue_made_anew_is_found(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1))
    service.deliver()
    service.delete("/v2/queues/q")
    searched(service)
    service.pass_s(7_200)
    service.post_bodies(notification(1))
    service.deliver()
    assert found(service) == ["n1"]


def test_an_event_of_the_far_future_gives_way_after_a_day(service: Service) -> None:
    searched(service)
    service.post_bodies({**notification(1, instance_id="i1"), "timestamp": "9999-12-31 23:59:59.000000"})
    service.deliver()
    service.post_bodies({**notification(2, instance_id="i1"), "timestamp": "2023-11-16 22:13:20.000000"})
    service.deliver()
    assert found(service, kind="resources") == ["n2"]


def test_an_event_is_found_by_its_id(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1, about="n2"), notification(2))
    service.deliver()
    assert found(service, "id=n2") == ["n2"]


@pytest.mark.parametrize("kind", ["events", "resources"])
def test_members_that_there_are_not_are_named(service: Service, kind: str) -> None:
    refused(service.get(f"/v2/{kind}?tpye=a.b"), 400, "tpye", "type")
    refused(service.get(f"/v2/{kind}?tpye="), 400, "tpye")
    with Socket(service) as socket:
        socket.ask(f"{kind.removesuffix('s')}_search", {"tpye": "a.b"}).refused(400, "tpye")


def test_events_are_found_for_as_long_as_the_service_keeps_them(start: Callable[..., Service]) -> None:
    service = start(search_retention_s=3_600)
    searched(service)
    service.post_bodies(notification(1, instance_id="i1"))
    service.deliver()
    service.pass_s(3_601)
    service.post_bodies(notification(2))
    service.deliver()
    service.sweep()
    assert found(service) == ["n2"]
    assert found(service, kind="resources") == ["n1"]


def test_metrics_tell_how_many_events_were_indexed(service: Service) -> None:
    searched(service)
    service.post_bodies(notification(1), notification(2))
    service.deliver()
    assert "sukkal_indexed_events_total 2.0" in service.get("/metrics").text


@pytest.mark.parametrize("binary", [False, True])
def test_the_same_can_be_asked_for_over_a_websocket(service: Service, binary: bool) -> None:
    searched(service)
    with Socket(service, binary=binary) as socket:
        saved = socket.ask("search_create", {"search_name": "s", "q": "active", "queue": "hits"})
        assert (saved.status, saved.body) == (201, {"name": "s", "queue": "hits", "q": "active"})
        service.post_bodies(*(notification(number, instance_id=f"i{number}", state="active") for number in range(3)))
        service.deliver()
        page = socket.ask("event_search", {"q": "active", "type": "compute.*", "facets": ["type"], "limit": 2}).body
        assert [hit["event"]["id"] for hit in page["events"]] == ["n2", "n1"]
        assert page["facets"]["counts"]["type"] == [{"value": "compute.instance.update", "count": 3}]
        last = socket.ask("event_search", {"q": "active", "marker": page["marker"], "limit": 2}).body
        assert ([hit["event"]["id"] for hit in last["events"]], last["marker"]) == (["n0"], None)
        [resource] = socket.ask("resource_search", {"resource_id": "i1"}).body["resources"]
        assert resource["resource"]["type"] == "OS::Nova::Server"
        assert [each["count"] for each in socket.ask("event_types").body["types"]] == [3]
        assert [each["name"] for each in socket.ask("search_list").body["searches"]] == ["s"]
        assert socket.ask("search_get", {"search_name": "s"}).body["q"] == "active"
        assert socket.ask("search_delete", {"search_name": "s"}).status == 204
        socket.ask("search_get", {"search_name": "s"}).refused(404, "s")
        socket.ask("event_search", {"q": '"'}).refused(400, "q, character 1")
        socket.ask("event_search", {"facets": "type"}).refused(400, "facets")
    assert len(service.bodies(queue="hits")) == 3


# -- an index that cannot be used


def test_posts_go_on_without_the_index_and_are_found_when_it_is_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched(service)
    service.post_bodies(notification(1))
    with monkeypatch.context() as broken:
        broken.setattr("sukkal.indexes.sqlite_fts.index.writing.put", _full_disk)
        service.deliver()
    assert found(service) == []
    service.post_bodies(notification(2))
    assert "sukkal_index_failures_total 1.0" in service.get("/metrics").text
    service.pass_s(6)
    service.deliver()
    assert found(service) == ["n2", "n1"]


def test_what_the_index_chokes_on_keeps_nothing_else_waiting(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    searched(service)
    put = writing.put

    def chokes(connection: apsw.Connection, documents: Sequence[Document], **more: Any) -> int:
        assert all(each.id != "n2" for each in documents), "too spicy"
        return put(connection, documents, **more)

    monkeypatch.setattr("sukkal.indexes.sqlite_fts.index.writing.put", chokes)
    service.post_bodies(notification(1), notification(2), notification(3))
    service.deliver()
    assert found(service) == ["n3", "n1"]


def _full_disk(*given: Any, **more: Any) -> int:
    raise apsw.FullError("database or disk is full")

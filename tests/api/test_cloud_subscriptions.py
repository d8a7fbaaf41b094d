"""The CloudEvents Subscriptions API: the same subscriptions in other words."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sukkal import limits
from tests.api.calling import Service, refused
from tests.api.test_deliveries import Obedient, subscribe
from tests.api.test_events import event

BASE = "/v2/subscriptions"
SINK = "https://example.org/hook"


@pytest.fixture
def sink() -> Obedient:
    return Obedient()


@pytest.fixture
def tested(start: Callable[..., Service], sink: Obedient) -> Service:
    """Return a service that delivers to subscribers of the scheme ``test``."""
    return start(sink=sink)


def wanted(**more: Any) -> dict[str, Any]:
    return {"sink": SINK, "protocol": "HTTP", "config": {"queue": "q", "ttl": 600}, **more}


def test_a_subscription_is_shown_as_it_was_ordered(service: Service) -> None:
    order = wanted(
        source="/nova",
        types=["a", "b"],
        filters=[{"prefix": {"subject": "web-"}}],
        protocolsettings={"method": "PUT", "headers": {"X-A": "b"}},
    )
    response = service.post(BASE, json={"id": "ignored", **order})
    assert response.status_code == 201
    shown = response.json()
    assert shown.pop("id").startswith("queue~q~")
    assert shown == order
    assert service.get(response.headers["location"]).json() == response.json()


def test_both_faces_show_the_same_subscription(service: Service) -> None:
    id_ = service.post(BASE, json=wanted(types=["a"])).json()["id"].rpartition("~")[2]
    [shown] = service.get("/v2/queues/q/subscriptions").json()["subscriptions"]
    assert (shown["id"], shown["subscriber"], shown["ttl"]) == (id_, SINK, 600)
    assert shown["options"] == {"format": "cloudevents", "types": ["a"]}


def test_a_subscription_of_the_other_face_is_shown_with_all_that_it_is(service: Service) -> None:
    document = {"subscriber": "http://example.org/", "ttl": 60, "options": {"method": "PUT", "own": 1}}
    service.post("/v2/topics/t/subscriptions", json=document)
    [shown] = service.get(BASE).json()
    assert shown["config"] == {"topic": "t", "ttl": 60, "own": 1, "format": None}
    assert shown["protocolsettings"] == {"method": "PUT"}
    again = service.put(f"{BASE}/{shown['id']}", json=shown)
    assert (again.status_code, again.json()) == (200, shown)


def test_only_events_of_its_source_and_types_that_pass_its_filters_are_delivered(
    tested: Service, sink: Obedient
) -> None:
    order = {"sink": "test://x", "protocol": "TEST", "config": {"queue": "q"}, "source": "/nova"}
    created = tested.post(BASE, json={**order, "types": ["a", "b"], "filters": [{"not": {"exact": {"id": "4"}}}]})
    assert created.status_code == 201
    events = [event("1", type="a"), event("2", type="b", source="/x"), event("3", type="c"), event("4", type="a")]
    tested.post_bodies(*events, "hello", event("5", type="b"))
    tested.deliver()
    assert [json.loads(body)["id"] for body in sink.bodies()] == ["1", "5"]
    assert {each.media_type for each in sink.given} == {"application/cloudevents+json"}


def test_an_explanation_tells_of_source_and_types_too(tested: Service) -> None:
    subscribe(tested, options={"source": "/x", "types": ["a"]})
    answer = tested.post("/v2/queues/q/explain", json={"body": event()}).json()
    assert [part["part"] for part in answer["subscriptions"][0]["explanation"]["parts"]] == ["exact source", "any"]


def test_a_list_goes_on_through_all_queues_and_topics(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PAGE_MAX", 2)
    monkeypatch.setattr(limits, "QUEUE_FILTER_SCAN_MAX", 3)
    made = []
    for number in range(7):
        service.put(f"/v2/queues/empty{number}", json={})
        for sink in range(number % 3):
            kind = "topic" if number > 4 else "queue"
            order = wanted(sink=f"https://example.org/{sink}", config={kind: f"q{number}"})
            made.append(service.post(BASE, json=order).json()["id"])
    found: list[str] = []
    path: str | None = f"{BASE}?limit=2"
    while path:
        response = service.get(path)
        found += [each["id"] for each in response.json()]
        path = response.links["next"]["url"] if "next" in response.links else None
    assert found == sorted(made)


def test_no_project_sees_subscriptions_of_another(service: Service) -> None:
    id_ = service.post(BASE, json=wanted()).json()["id"]
    assert service.get(BASE, project="other").json() == []
    refused(service.get(f"{BASE}/{id_}", project="other"), 404)
    refused(service.delete(f"{BASE}/{id_}", project="other"), 404)


def test_a_subscription_is_replaced_but_for_its_queue(service: Service) -> None:
    path = f"{BASE}/{service.post(BASE, json=wanted(types=['a'])).json()['id']}"
    other = {"sink": "https://example.org/other", "protocol": "HTTP", "config": {"format": "native", "queue": "q"}}
    changed = service.put(path, json=other).json()
    assert (changed["sink"], changed["config"]) == (other["sink"], {"queue": "q", "ttl": 600, "format": "native"})
    assert "types" not in changed
    assert service.put(path, json={**other, "config": {"ttl": 900}}).json()["config"] == {"queue": "q", "ttl": 900}
    refused(service.put(path, json={**other, "config": {"queue": "r"}}), 400, "another queue")


def test_a_subscription_that_ends_is_shown_once_more(service: Service) -> None:
    shown = service.post(BASE, json=wanted()).json()
    path = f"{BASE}/{shown['id']}"
    assert service.delete(path).json() == shown
    refused(service.delete(path), 404)
    assert service.get(BASE).json() == []


@pytest.mark.parametrize("id_", ["x", "queue~q~", "claim~q~1", "queue~q%2F~1", "queue~q~1"])
def test_what_is_no_subscription_is_not_found(service: Service, id_: str) -> None:
    refused(service.get(f"{BASE}/{id_}"), 404)


def test_a_list_goes_on_only_from_where_one_ended(service: Service) -> None:
    refused(service.get(f"{BASE}?marker=x"), 400, "marker", "Link")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sink": None}, ["sink"]),
        ({"protocol": "AMQP"}, ["protocol", "HTTP"]),
        ({"config": {}}, ["config", "queue or a topic"]),
        ({"config": {"queue": "q", "topic": "t"}}, ["config"]),
        ({"config": 5}, ["config", "object"]),
        ({"config": {"queue": "q", "filters": []}}, ["config.filters"]),
        ({"config": {"queue": "q", "ttl": "long"}}, ["TTL"]),
        ({"protocolsettings": {"qos": 1}}, ["protocolsettings.qos"]),
        ({"protocolsettings": {"headers": 5}}, ["post_headers"]),
        ({"sinkcredential": {"credentialtype": "PLAIN"}}, ["sinkcredential"]),
        ({"types": []}, ["options.types"]),
        ({"types": [""]}, ["type"]),
        ({"source": 5}, ["source"]),
        ({"filters": [{"sql": "("}]}, ["options.filters[0].sql", "character"]),
    ],
)
def test_an_order_that_cannot_be_met_is_refused(service: Service, more: dict[str, Any], words: list[str]) -> None:
    refused(service.post(BASE, json=wanted(**more)), 400, *words)

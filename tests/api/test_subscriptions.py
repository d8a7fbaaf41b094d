"""Subscriptions over HTTP, as clients of Zaqar know them."""

from typing import Any, Final

import pytest

from tests.api.calling import Service, refused

HOOK: Final = "http://hooks.example.org/hook"
BASE: Final = "/v2/queues/q/subscriptions"


def subscribe(service: Service, subscriber: str = HOOK, queue: str = "q", **more: Any) -> str:
    response = service.post(f"/v2/queues/{queue}/subscriptions", json={"subscriber": subscriber, **more})
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"/v2/queues/{queue}/subscriptions"
    return str(response.json()["subscription_id"])


def test_a_subscription_is_shown_as_it_was_made(service: Service) -> None:
    options = {"post_headers": {"X-A": "b"}, "_retry_schedule": [1, 2]}
    id_ = subscribe(service, ttl=300, options=options)
    service.pass_s(7)
    shown = service.get(f"{BASE}/{id_}").json()
    assert shown == {
        "id": id_,
        "source": "q",
        "subscriber": HOOK,
        "ttl": 300,
        "age": 7,
        "options": options,
        "confirmed": False,
    }
    assert service.get(BASE).json()["subscriptions"] == [shown]
    assert [each["name"] for each in service.get("/v2/queues").json()["queues"]] == ["q"]


def test_a_subscription_that_does_not_say_lasts_an_hour(service: Service) -> None:
    id_ = subscribe(service)
    assert service.get(f"{BASE}/{id_}").json()["ttl"] == 3_600
    service.pass_s(3_599)
    assert service.get(f"{BASE}/{id_}").status_code == 200
    service.pass_s(1)
    refused(service.get(f"{BASE}/{id_}"), 404, "does not exist")
    assert service.get(BASE).json() == {"subscriptions": [], "links": []}
    service.sweep()
    assert subscribe(service) != id_


def test_heats_subscription_for_ever_is_accepted(service: Service) -> None:
    id_ = subscribe(service, ttl=220_367_260_800)
    assert service.get(f"{BASE}/{id_}").json()["ttl"] == 220_367_260_800
    refused(service.post(BASE, json={"subscriber": HOOK + "2", "ttl": 2**60}), 400, "9999-12-31")


def test_subscribing_again_is_the_same_subscription(service: Service) -> None:
    id_ = subscribe(service, ttl=300, options={"a": 1})
    service.pass_s(200)
    assert subscribe(service, ttl=300, options={"a": 1}) == id_
    assert service.get(f"{BASE}/{id_}").json()["age"] == 0
    assert service.put(f"{BASE}/{id_}/confirm", json={"confirmed": True}).status_code == 204
    assert subscribe(service, ttl=300, options={"a": 1}) == id_
    assert service.get(f"{BASE}/{id_}").json()["confirmed"] is True
    changes: list[dict[str, Any]] = [{"ttl": 400}, {"options": {}}]
    for change in changes:
        document = {"subscriber": HOOK, "ttl": 300, "options": {"a": 1}} | change
        refused(service.post(BASE, json=document), 409, "already exists", id_)
    assert subscribe(service, queue="r") != id_


def test_subscriptions_are_listed_page_by_page(service: Service) -> None:
    ids = sorted(subscribe(service, f"{HOOK}/{number}") for number in range(7))
    found: list[str] = []
    path: str | None = f"{BASE}?limit=3"
    while path:
        document = service.get(path).json()
        found += [each["id"] for each in document["subscriptions"]]
        path = document["links"][0]["href"] if document["links"] else None
    assert found == ids
    refused(service.get(f"{BASE}?limit=21"), 400, "Limit must be at least 1 and may not be greater than 20.")


def test_a_subscription_is_changed(service: Service) -> None:
    id_ = subscribe(service, ttl=300)
    service.pass_s(100)
    response = service.patch(f"{BASE}/{id_}", json={"options": {"b": 2}})
    assert (response.status_code, response.headers["location"]) == (204, BASE)
    shown = service.get(f"{BASE}/{id_}").json()
    assert (shown["options"], shown["age"], shown["subscriber"]) == ({"b": 2}, 100, HOOK)
    service.patch(f"{BASE}/{id_}", json={"ttl": 600, "subscriber": HOOK + "/new"})
    shown = service.get(f"{BASE}/{id_}").json()
    assert (shown["ttl"], shown["age"], shown["subscriber"]) == (600, 0, HOOK + "/new")
    other = subscribe(service)
    refused(service.patch(f"{BASE}/{other}", json={"subscriber": HOOK + "/new"}), 409, id_)
    refused(service.patch(f"{BASE}/{id_}", json={}), 400, "No subscription to create.")
    refused(service.patch(f"{BASE}/{id_}", json={"x": 1}), 400, "subscriber, ttl, options")
    refused(service.patch(f"{BASE}/none", json={"ttl": 60}), 404)


def test_a_subscription_is_deleted(service: Service) -> None:
    id_ = subscribe(service)
    for _ in range(2):
        assert service.delete(f"{BASE}/{id_}").status_code == 204
    refused(service.get(f"{BASE}/{id_}"), 404)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "Missing parameter subscriber in body."),
        ({"subscriber": ""}, "Missing parameter subscriber in body."),
        ({"subscriber": 5}, "URI"),
        ({"subscriber": "ftp://x"}, "must be supported in the list"),
        ({"subscriber": "nothing"}, "must be supported in the list"),
        ({"subscriber": HOOK, "ttl": "60"}, "TTL must be an integer."),
        ({"subscriber": HOOK, "ttl": None}, "TTL must be an integer."),
        ({"subscriber": HOOK, "ttl": True}, "TTL must be an integer."),
        ({"subscriber": HOOK, "ttl": 59}, "at least 60 seconds long."),
        ({"subscriber": HOOK, "options": []}, "Options must be a dict."),
        ({"subscriber": HOOK, "options": {"_retry_policy": []}}, "retry_policy must be a dict."),
        ({"subscriber": HOOK, "options": {"_retry_schedule": [-1]}}, "_retry_schedule"),
        ({"subscriber": HOOK, "options": {"_disabled": "x"}}, "_disabled"),
        ({"subscriber": "http://x/" + "y" * 3_000}, "2048 characters"),
    ],
)
def test_a_wrong_subscription_is_refused(service: Service, document: dict[str, Any], words: str) -> None:
    refused(service.post(BASE, json=document), 400, words)
    assert service.get("/v2/queues").json()["queues"] == []


def test_a_body_that_is_no_object_is_refused(service: Service) -> None:
    for content in (b"[1]", b"", b"{", b"null"):
        refused(service.post(BASE, content=content), 400)


def test_a_confirmation_says_yes_or_no(service: Service) -> None:
    id_ = subscribe(service)
    for confirmed in (True, False):
        assert service.put(f"{BASE}/{id_}/confirm", json={"confirmed": confirmed}).status_code == 204
        assert service.get(f"{BASE}/{id_}").json()["confirmed"] is confirmed
    refused(service.put(f"{BASE}/{id_}/confirm", json={"confirmed": "yes"}), 400, "should be boolean")
    refused(service.put(f"{BASE}/none/confirm", json={"confirmed": True}), 404)


def test_secrets_are_taken_and_never_shown(service: Service) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    id_ = subscribe(service, options={"_signing_secrets": [secret], "a": 1})
    assert secret not in service.get(BASE).text + service.get(f"{BASE}/{id_}").text
    service.patch(f"{BASE}/{id_}", json={"options": {"a": 2}})
    assert service.get(f"{BASE}/{id_}").json()["options"] == {"a": 2}


def test_deleting_or_purging_a_queue_takes_its_subscriptions_along(service: Service) -> None:
    subscribe(service)
    service.delete("/v2/queues/q")
    assert service.get(BASE).json()["subscriptions"] == []
    subscribe(service)
    service.post("/v2/queues/q/purge", json={"resource_types": ["messages"]})
    assert len(service.get(BASE).json()["subscriptions"]) == 1
    service.post("/v2/queues/q/purge")
    assert service.get(BASE).json()["subscriptions"] == []


def test_a_topic_has_subscriptions_of_its_own(service: Service) -> None:
    response = service.post("/v2/topics/q/subscriptions", json={"subscriber": HOOK})
    assert response.headers["location"] == "/v2/topics/q/subscriptions"
    assert service.get(BASE).json()["subscriptions"] == []
    assert len(service.get("/v2/topics/q/subscriptions").json()["subscriptions"]) == 1

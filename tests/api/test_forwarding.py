"""Subscribers that are queues: who may have them, what comes there, and that circles end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sukkal import limits
from sukkal.service.settling import Settling
from tests.api.calling import Service, refused
from tests.api.sockets import Socket

ADMIN = {"X-Roles": "admin"}


def subscribe(service: Service, source: str, target: str, **more: Any) -> str:
    response = service.post(f"/v2/queues/{source}/subscriptions", json={"subscriber": target, **_body(more)}, **more)
    assert response.status_code == 201, response.text
    return str(response.json()["subscription_id"])


def _body(more: dict[str, Any]) -> dict[str, Any]:
    return {name: more.pop(name) for name in ("options", "ttl") if name in more}


def ledger(service: Service, source: str, id_: str) -> list[dict[str, Any]]:
    return list(service.get(f"/v2/queues/{source}/subscriptions/{id_}/deliveries").json()["deliveries"])


def bodies(service: Service, queue: str, project: str = "p") -> list[Any]:
    found = service.get(f"/v2/queues/{queue}/messages?echo=true&limit=20", project=project).json()["messages"]
    return [message["body"] for message in found]


def test_what_is_posted_comes_to_the_other_queue_as_it_is(service: Service) -> None:
    subscribe(service, "q", "queue:other")
    service.post("/v2/queues/q/messages", content=b'{"messages":[{"body":{"n":1.50},"ttl":300},{"body":"b"}]}')
    service.deliver()
    assert bodies(service, "other") == [{"n": 1.5}, "b"]
    message = service.get("/v2/queues/other/messages").json()["messages"][0]
    assert message["ttl"] == 300


def test_a_chain_of_queues_is_gone_through_to_its_end(service: Service) -> None:
    subscribe(service, "a", "queue:b")
    subscribe(service, "b", "queue:c")
    service.post_bodies("x", queue="a")
    service.deliver()
    assert bodies(service, "c") == ["x"]


def test_a_queue_of_another_project_needs_a_right_there(service: Service) -> None:
    body = {"subscriber": "queue:/b/inbox"}
    refused(service.post("/v2/queues/q/subscriptions", json=body), 403, "forwarded")
    assert service.get("/v2/queues/q/subscriptions").json()["subscriptions"] == []
    subscribe(service, "q", "queue:/b/inbox", headers=ADMIN)
    subscribe(service, "q", "queue:/p/mine")
    service.post_bodies("x")
    service.deliver()
    assert bodies(service, "inbox", "b") == ["x"]
    assert bodies(service, "mine") == ["x"]
    assert bodies(service, "inbox") == []


def test_the_same_holds_over_a_websocket(service: Service) -> None:
    with Socket(service) as socket:
        for subscriber, status in (("queue:/b/inbox", 403), ("queue:mine", 201)):
            answer = socket.ask("subscription_create", {"queue_name": "q", "subscriber": subscriber, "ttl": 300})
            assert answer.status == status, answer
    service.post_bodies("x")
    service.deliver()
    assert bodies(service, "mine") == ["x"]


def test_the_policy_says_who_may_forward_where(start: Callable[..., Service], tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text('"subscription:forward": "role:forwarder and not project_id:b"\n')
    service = start(policy_file=str(policy))
    body = {"subscriber": "queue:/other/inbox"}
    refused(service.post("/v2/queues/q/subscriptions", json={"subscriber": "queue:own"}), 403)
    forwarder = {"X-Roles": "forwarder"}
    assert service.post("/v2/queues/q/subscriptions", json=body, headers=forwarder).status_code == 201
    refused(service.post("/v2/queues/q/subscriptions", json=body, headers=forwarder, project="b"), 403)


def test_a_change_of_the_subscriber_needs_the_right_again(service: Service) -> None:
    id_ = subscribe(service, "q", "queue:/b/inbox", headers=ADMIN)
    path = f"/v2/queues/q/subscriptions/{id_}"
    refused(service.patch(path, json={"subscriber": "queue:/c/inbox"}), 403)
    refused(service.patch(path, json={"options": {"_granted": {"project": "c"}}}), 400, "_granted")
    assert "_granted" not in service.get(path).json()["options"]
    assert service.patch(path, json={"subscriber": "queue:/c/inbox"}, headers=ADMIN).status_code == 204
    service.post_bodies("x")
    service.deliver()
    assert (bodies(service, "inbox", "b"), bodies(service, "inbox", "c")) == ([], ["x"])


def test_the_same_subscription_again_is_the_same(service: Service) -> None:
    id_ = subscribe(service, "q", "queue:other", ttl=300)
    service.pass_s(10)
    assert subscribe(service, "q", "queue:other", ttl=300) == id_
    assert service.get(f"/v2/queues/q/subscriptions/{id_}").json()["age"] == 0


@pytest.mark.parametrize(
    "subscriber", ["queue:", "queue:a b", "queue:/b", "queue:/b/", "queue://b", "queue:a/b", "queue:/b/c/d", "queue:q"]
)
def test_what_names_no_other_queue_is_refused(service: Service, subscriber: str) -> None:
    refused(service.post("/v2/queues/q/subscriptions", json={"subscriber": subscriber}), 400, "subscriber")


def test_a_circle_ends_where_it_began(service: Service) -> None:
    subscribe(service, "a", "queue:b")
    back = subscribe(service, "b", "queue:a", options={"_dead_letter_queue": "dead"})
    service.post_bodies("x", queue="a")
    service.deliver()
    assert (bodies(service, "a"), bodies(service, "b")) == (["x"], ["x"])
    (letter,) = service.get("/v2/queues/dead/messages?detailed=true").json()["messages"]
    assert letter["dead_letter"]["subscription"] == back
    assert "circle" in letter["dead_letter"]["error"]


def test_a_message_is_forwarded_only_so_many_times(service: Service) -> None:
    ids = [subscribe(service, f"q{n}", f"queue:q{n + 1}") for n in range(limits.QUEUE_HOPS_MAX + 2)]
    service.post_bodies("x", queue="q0")
    service.deliver()
    last = limits.QUEUE_HOPS_MAX
    assert (bodies(service, f"q{last}"), bodies(service, f"q{last + 1}")) == (["x"], [])
    (entry,) = ledger(service, f"q{last}", ids[last])
    assert entry["state"] == "dead"
    assert f"forwarded {last} times" in entry["error"]


def test_a_repeated_delivery_stores_nothing_anew(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe(service, "q", "queue:other")
    add = Settling.add
    lost: list[bool] = []

    def forgetful(self: Settling, *what: Any) -> None:
        lost.append(True)
        if len(lost) > 1:
            add(self, *what)

    # The outcome of the first attempt is not kept, as if the process had died before that.
    monkeypatch.setattr(Settling, "add", forgetful)
    service.post_bodies("x")
    service.deliver()
    service.pass_s(1_000)
    service.deliver()
    assert len(lost) == 2
    assert bodies(service, "other") == ["x"]


def test_the_rules_of_the_other_queue_hold(service: Service) -> None:
    service.put("/v2/queues/other", json={"_max_messages_post_size": 20})
    id_ = subscribe(service, "q", "queue:other")
    service.post_bodies("x" * 30, "y")
    service.deliver()
    assert bodies(service, "other") == ["y"]
    dead = [entry for entry in ledger(service, "q", id_) if entry["state"] == "dead"]
    assert "too large" in dead[0]["error"]


def test_messages_that_a_queue_cannot_take_keep_no_others_from_it(service: Service) -> None:
    service.put("/v2/queues/other", json={"_max_messages_post_size": 20})
    subscribe(service, "q", "queue:other")
    service.post_bodies(*["x" * 30] * (2 * limits.BREAKER_FAILURES), "y")
    service.deliver()
    assert bodies(service, "other") == ["y"]


def test_queues_of_the_same_name_fail_apart_from_each_other(start: Callable[..., Service], tmp_path: Path) -> None:
    table = tmp_path / "limits.toml"
    table.write_text("[projects.b]\nmessages = 1\n")
    service = start(limits_file=str(table))
    for project in ("b", "p"):
        document = {"subscriber": "queue:other", "options": {"_retry_schedule": [1] * 20}}
        assert service.post("/v2/queues/q/subscriptions", json=document, project=project).status_code == 201
    service.post("/v2/queues/q/messages", json={"messages": [{"body": "last"}]}, project="b")
    for _ in range(2 * limits.BREAKER_FAILURES):
        service.deliver()
        service.pass_s(10)
    service.post_bodies("x")
    service.deliver()
    assert bodies(service, "other", "b") == []
    assert bodies(service, "other") == ["x"]


def test_a_limit_of_the_other_project_puts_deliveries_off_and_is_not_told(
    start: Callable[..., Service], tmp_path: Path
) -> None:
    table = tmp_path / "limits.toml"
    table.write_text("[projects.b]\nmessages = 1\n")
    service = start(limits_file=str(table))
    id_ = subscribe(service, "q", "queue:/b/inbox", headers=ADMIN)
    service.post_bodies("x", "y")
    service.deliver()
    assert bodies(service, "inbox", "b") == ["x"]
    (entry,) = [each for each in ledger(service, "q", id_) if each["state"] == "retrying"]
    assert entry["error"] == "The queue's project has reached a limit."
    service.post("/v2/queues/inbox/purge", project="b", json={"resource_types": ["messages"]})
    service.pass_s(1_000)
    service.deliver()
    assert bodies(service, "inbox", "b") == ["y"]


def test_a_request_to_confirm_comes_as_a_message(start: Callable[..., Service]) -> None:
    service = start(require_confirmation=True, signed_url_keys="k" * 32)
    subscribe(service, "q", "queue:other", ttl=10**9)
    service.deliver()
    (notice,) = bodies(service, "other")
    assert notice["Message_Type"] == "SubscriptionConfirmation"
    headers = {name: notice[name] for name in ("URL-Signature", "URL-Methods", "URL-Paths", "URL-Expires")}
    confirmed = service.put(notice["URL-Paths"], json=notice["SubscribeBody"], headers=headers)
    assert confirmed.status_code == 204
    service.post_bodies("x")
    service.deliver()
    assert json.dumps(bodies(service, "other")[1:]) == '["x"]'

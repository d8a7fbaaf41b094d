"""A post that is repeated because its answer was lost: what came of the first one decides, not what became of it."""

from typing import Any

import httpx
import pytest

from tests.api.calling import OTHER_CLIENT, Service, refused


def post(service: Service, key: str = "k", queue: str = "q", version: str = "v2", **message: Any) -> httpx.Response:
    return service.post(
        f"/{version}/queues/{queue}/messages",
        json={"messages": [{"body": "x", **message}]},
        headers={"idempotency-key": key},
    )


@pytest.mark.parametrize("consumed", ["popped", "deleted", "claimed and deleted", "expired", "dead"])
def test_a_message_that_is_gone_does_not_come_again(service: Service, consumed: str) -> None:
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    first = post(service, ttl=60)
    (path,) = first.json()["resources"]
    match consumed:
        case "popped":
            assert len(service.delete("/v2/queues/q/messages?pop=1").json()["messages"]) == 1
        case "deleted":
            service.delete(path)
        case "claimed and deleted":
            service.delete(service.claim()[1][0]["href"])
        case "expired":
            service.pass_s(60)
        case "dead":
            service.delete(service.claim()[0])
    service.sweep()
    again = post(service, ttl=60)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert service.bodies("?echo=true&include_claimed=true&include_delayed=true") == []


def test_a_queue_that_was_deleted_remembers_no_key(service: Service) -> None:
    first = post(service)
    service.delete("/v2/queues/q")
    again = post(service)
    assert "idempotency-replayed" not in again.headers
    assert again.json() != first.json()
    assert service.bodies() == ["x"]


def test_a_refused_post_uses_up_no_key(service: Service) -> None:
    refused(post(service, ttl=1), 400)
    assert "idempotency-replayed" not in post(service).headers
    assert service.bodies() == ["x"]


def test_another_request_with_the_key_of_an_earlier_one_is_a_conflict(service: Service) -> None:
    post(service, ttl=100)
    for message in ({"ttl": 101}, {"ttl": 100, "delay": 1}, {"ttl": 100, "body": "y"}):
        refused(post(service, **message), 409, "key")
    assert service.bodies("?echo=true&include_delayed=true") == ["x"]


def test_spaces_between_the_members_make_no_other_request(service: Service) -> None:
    first = post(service)
    content = b'{ "messages":\n[{"body" : "x"}] }'
    again = service.post("/v2/queues/q/messages", content=content, headers={"idempotency-key": "k"})
    assert again.json() == first.json()


def test_a_key_is_remembered_across_versions_and_clients(service: Service) -> None:
    first = post(service, version="v1.1")
    again = service.post(
        "/v1.1/queues/q/messages",
        json={"messages": [{"body": "x"}]},
        headers={"idempotency-key": "k"},
        client=OTHER_CLIENT,
    )
    assert again.json() == first.json()
    assert service.bodies() == ["x"]


def test_an_answer_repeated_under_another_path_has_the_paths_of_that(service: Service) -> None:
    (first,) = post(service, version="v1.1").json()["resources"]
    (again,) = post(service, version="v2").json()["resources"]
    assert again == first.replace("/v1.1/", "/v2/")
    assert service.get(again).json()["body"] == "x"

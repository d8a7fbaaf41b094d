"""What is just within a limit is taken, what is just beyond is refused, and the limits are those of the settings."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.calling import PATCH_TYPE, Service, refused

MESSAGES = "/v2/queues/q/messages"
CLAIMS = "/v2/queues/q/claims"


def padded(document: str, size: int) -> bytes:
    """Return the JSON text with its ``@`` made so long that the whole has this size."""
    return document.replace("@", "x" * (size - len(document) + 1)).encode()


@pytest.mark.parametrize("message", [{"ttl": 60}, {"ttl": 1_209_600}, {"delay": 0}, {"delay": 900}])
def test_a_message_at_the_limit_is_stored(service: Service, message: dict[str, Any]) -> None:
    service.post_bodies("x", **message)
    assert service.bodies("?echo=true&include_delayed=true") == ["x"]


@pytest.mark.parametrize("claim", [{"ttl": 60}, {"ttl": 43_200}, {"grace": 60}, {"grace": 43_200}])
def test_a_claim_at_the_limit_is_made(service: Service, claim: dict[str, Any]) -> None:
    service.post_bodies("x")
    location, messages = service.claim(**claim)
    assert len(messages) == 1
    assert service.get(location).json()["ttl"] == claim.get("ttl", 300)


@pytest.mark.parametrize(
    "metadata",
    [
        {"_default_message_ttl": 60},
        {"_default_message_ttl": 1_209_600},
        {"_max_messages_post_size": 1},
        {"_max_messages_post_size": 262_144},
        {"_default_message_delay": 900},
        {"_dead_letter_queue_messages_ttl": 60},
        {"_dead_letter_queue_messages_ttl": 1_209_600},
        {"_max_claim_count": 1},
        {"_retry_policy": {"minimum_delay": 5, "maximum_delay": 15}},
    ],
)
def test_an_attribute_at_the_limit_is_kept(service: Service, metadata: dict[str, Any]) -> None:
    assert service.put("/v2/queues/q", json=metadata).status_code == 201
    assert metadata.items() <= service.get("/v2/queues/q").json().items()


def test_a_post_may_have_so_many_bytes_and_not_one_more(service: Service) -> None:
    document = '{"messages": [{"body": "@"}]}'
    assert service.post(MESSAGES, content=padded(document, 262_144)).status_code == 201
    refused(service.post(MESSAGES, content=padded(document, 262_145)), 400, "Max size 262144")
    assert len(service.bodies()) == 1


def test_a_queues_own_size_counts_the_bytes_of_the_post(service: Service) -> None:
    service.put("/v2/queues/q", json={"_max_messages_post_size": 100})
    document = '{"messages": [{"body": "@"}]}'
    assert service.post(MESSAGES, content=padded(document, 100)).status_code == 201
    refused(service.post(MESSAGES, content=padded(document, 101)), 400, "Max size 100")
    assert len(service.bodies()) == 1


def test_metadata_may_have_so_many_bytes_and_not_one_more(service: Service) -> None:
    assert service.put("/v2/queues/a", content=padded('{"a": "@"}', 65_536)).status_code == 201
    refused(service.put("/v2/queues/b", content=padded('{"a": "@"}', 65_537)), 400, "Max size: 65536")
    assert [each["name"] for each in service.get("/v2/queues").json()["queues"]] == ["a"]


def test_metadata_do_not_grow_beyond_their_limit_by_many_small_changes(service: Service) -> None:
    def add(key: str) -> Any:
        changes = [{"op": "add", "path": f"/metadata/{key}", "value": "x" * 30_000}]
        return service.patch("/v2/queues/q", json=changes, headers={"content-type": PATCH_TYPE})

    assert [add(key).status_code for key in ("a", "b")] == [200, 200]
    refused(add("c"), 400, "Max size: 65536")
    assert {"a", "b"} == {key for key in service.get("/v2/queues/q").json() if not key.startswith("_")}


def test_a_post_may_have_a_thousand_messages(service: Service) -> None:
    response = service.post(MESSAGES, json={"messages": [{"body": number} for number in range(1_000)]})
    assert response.status_code == 201
    assert len(set(response.json()["resources"])) == 1_000
    assert service.bodies("?echo=true&limit=20") == list(range(1_000))


def test_twenty_at_once_are_allowed_everywhere(service: Service) -> None:
    ids = service.post_bodies(*range(60))
    first = ",".join(ids[:20])
    assert len(service.get(f"{MESSAGES}?ids={first}").json()["messages"]) == 20
    assert len(service.get(f"{MESSAGES}?echo=true&limit=20").json()["messages"]) == 20
    assert len(service.claim("?limit=20")[1]) == 20
    assert service.delete(f"{MESSAGES}?ids={first}").status_code == 204
    assert len(service.delete(f"{MESSAGES}?pop=20").json()["messages"]) == 20
    assert service.bodies() == list(range(40, 60))


def test_the_longest_wait_is_allowed(service: Service) -> None:
    service.post_bodies(0, 1)
    assert service.get(f"{MESSAGES}?echo=true&wait=60").status_code == 200
    assert service.post(f"{CLAIMS}?wait=60").status_code == 201
    assert service.post(f"{CLAIMS}?wait=0").status_code == 204


def test_the_operator_sets_the_limits(start: Callable[..., Service]) -> None:
    service = start(
        max_queues_per_page=2,
        max_messages_per_page=3,
        max_messages_per_claim_or_pop=4,
        max_message_ttl=100,
        default_message_ttl=70,
        max_message_delay=10,
        max_claim_ttl=200,
        default_claim_ttl=80,
        max_claim_grace=90,
        max_messages_post_size=2_000,
        max_queue_metadata=64,
        wait_max_s=5,
    )
    assert service.post_bodies(0)
    assert service.get(f"{MESSAGES}?echo=true").json()["messages"][0]["ttl"] == 70
    assert service.get(service.claim()[0]).json()["ttl"] == 80
    for response, words in (
        (service.get("/v2/queues?limit=3"), "no greater than 2."),
        (service.get(f"{MESSAGES}?limit=4"), "may not be greater than 3."),
        (service.post(f"{CLAIMS}?limit=5"), "may not be greater than 4."),
        (service.delete(f"{MESSAGES}?pop=5"), "may not be greater than 4."),
        (service.post(MESSAGES, json={"messages": [{"body": 1, "ttl": 101}]}), "may not exceed 100 seconds"),
        (service.post(MESSAGES, json={"messages": [{"body": 1, "delay": 11}]}), "may not exceed 10 seconds"),
        (service.post(MESSAGES, json={"messages": [{"body": "x" * 2_000}]}), "Max size 2000"),
        (service.post(CLAIMS, json={"ttl": 201}), "may not exceed 200 seconds"),
        (service.post(CLAIMS, json={"grace": 91}), "may not exceed 90 seconds"),
        (service.post(f"{CLAIMS}?wait=6"), "0 to 5"),
        (service.put("/v2/queues/r", json={"_default_message_ttl": 101}), "can not exceed 100 seconds"),
        (service.put("/v2/queues/r", json={"a": "x" * 64}), "Max size: 64"),
    ):
        refused(response, 400, words)


def test_a_page_without_a_limit_is_never_longer_than_the_operator_allows(start: Callable[..., Service]) -> None:
    service = start(max_queues_per_page=2, max_messages_per_page=3, max_messages_per_claim_or_pop=4)
    service.post_bodies(*range(12))
    for name in ("a", "b", "c"):
        service.put(f"/v2/queues/{name}")
    assert len(service.get("/v2/queues").json()["queues"]) == 2
    assert len(service.get(f"{MESSAGES}?echo=true").json()["messages"]) == 3
    assert len(service.claim()[1]) == 4

"""Claims over HTTP."""

from typing import Any

import pytest

from tests.api.calling import Service, refused

CLAIM_TTL = "The TTL for a claim may not exceed 43200 seconds, and must be at least 60 seconds long."
GRACE = "The grace for a claim may not exceed 43200 seconds"


def test_a_claim_takes_the_first_messages_and_is_found_at_its_location(service: Service) -> None:
    ids = service.post_bodies(*range(12), ttl=3600)
    response = service.post("/v2/queues/q/claims?limit=2", json={"ttl": 100, "grace": 60})
    assert response.status_code == 201
    location = response.headers["location"]
    claim_id = location.removeprefix("/v2/queues/q/claims/")
    shown = [
        {"id": id_, "href": f"/v2/queues/q/messages/{id_}?claim_id={claim_id}", "ttl": 3600, "age": 0, "body": number}
        for number, id_ in enumerate(ids[:2])
    ]
    assert response.json() == {"messages": shown}
    assert service.get(location).json() == {"href": location, "age": 0, "ttl": 100, "messages": shown}
    assert len(service.claim()[1]) == 10


def test_there_is_nothing_to_claim(service: Service) -> None:
    for _ in range(2):
        response = service.post("/v2/queues/q/claims", json={"ttl": 60, "grace": 60})
        assert (response.status_code, response.content) == (204, b"")
        assert "location" not in response.headers
        service.put("/v2/queues/q")


def test_a_claim_needs_no_body_and_ignores_what_it_does_not_know(service: Service) -> None:
    service.post_bodies(1, 2)
    location, _ = service.post("/v2/queues/q/claims?limit=1").headers["location"], None
    assert service.get(location).json()["ttl"] == 300
    assert service.claim(ttl=60, grace=60, x=1)[1]


@pytest.mark.parametrize(
    ("query", "body", "words"),
    [
        ("", {"ttl": 59}, CLAIM_TTL),
        ("", {"ttl": 43201}, CLAIM_TTL),
        ("", {"grace": 59}, GRACE),
        ("", {"grace": 43201}, GRACE),
        ("", {"ttl": "60"}, 'The value of the "ttl" field must be a int.'),
        ("", {"ttl": None}, 'The value of the "ttl" field must be a int.'),
        ("", {"grace": 60.5}, 'The value of the "grace" field must be a int.'),
        ("", {"ttl": True}, 'The value of the "ttl" field must be a int.'),
        ("", [], "Document type not supported."),
        ("", "x", "could not be parsed"),
        ("?limit=0", {}, "Limit must be at least 1 and may not be greater than 20."),
        ("?limit=21", {}, "Limit must be at least 1 and may not be greater than 20."),
        ("?limit=x", {}, '"limit"'),
        ("?wait=61", {}, '"wait"'),
        ("", {"x": "y" * 70_000}, "65536"),
    ],
)
def test_a_claim_that_cannot_be_made_is_refused(service: Service, query: str, body: Any, words: str) -> None:
    service.post_bodies(1)
    refused(service.post(f"/v2/queues/q/claims{query}", json=body), 400, words)
    assert service.bodies() == [1]


def test_a_claim_ends_and_its_messages_can_be_claimed_again(service: Service) -> None:
    (id_,) = service.post_bodies(1, ttl=3600)
    old, _ = service.claim(ttl=60)
    service.pass_s(59.999)
    assert service.claim()[1] == []
    service.pass_s(0.001)
    refused(service.get(old), 404, "Claim", "does not exist in queue q for project p", title="Not found")
    assert service.get(f"/v2/queues/q/messages/{id_}").json()["href"] == f"/v2/queues/q/messages/{id_}"
    new, messages = service.claim("?detailed=true", ttl=60)
    assert messages[0]["claim_count"] == 2
    # The late one can do nothing any more.
    refused(service.delete(f"/v2/queues/q/messages/{id_}?claim_id={old.rpartition('/')[2]}"), 400, "expired")
    refused(service.patch(old, json={"ttl": 60}), 404)
    refused(service.patch(f"{old}/messages/{id_}"), 404)
    assert service.delete(old).status_code == 204
    assert len(service.get(new).json()["messages"]) == 1


def test_a_message_outlives_its_claim_by_the_grace(service: Service) -> None:
    (id_,) = service.post_bodies(1, ttl=60)
    _, messages = service.claim(ttl=300, grace=100)
    assert messages[0]["ttl"] == 400
    service.pass_s(399.999)
    assert service.get(f"/v2/queues/q/messages/{id_}").json()["ttl"] == 400
    service.pass_s(0.001)
    refused(service.get(f"/v2/queues/q/messages/{id_}"), 404)


def test_extending_a_claim_begins_its_time_anew(service: Service) -> None:
    service.post_bodies(1, ttl=100)
    claim, _ = service.claim(ttl=60)
    service.pass_s(50)
    assert service.patch(claim, json={"ttl": 200, "grace": 1}).status_code == 204
    shown = service.get(claim).json()
    assert (shown["age"], shown["ttl"], shown["messages"][0]["ttl"]) == (0, 200, 201)
    assert service.patch(claim, json={}).status_code == 204
    assert service.get(claim).json()["ttl"] == 300
    assert service.patch(claim, json={"ttl": 60}).status_code == 204
    service.pass_s(60)
    assert len(service.claim()[1]) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "could not be parsed"),
        (b"[]", "Document type not supported."),
        (b'{"ttl": 10}', CLAIM_TTL),
        (b'{"ttl": "x"}', '"ttl"'),
        (b'{"grace": -1}', "grace"),
        (b'{"grace": 43201}', "grace"),
    ],
)
def test_an_extension_that_makes_no_sense_is_refused(service: Service, content: bytes, words: str) -> None:
    service.post_bodies(1)
    claim, _ = service.claim(ttl=100)
    refused(service.patch(claim, content=content), 400, words)
    assert service.get(claim).json()["ttl"] == 100


def test_releasing_a_claim_frees_what_it_holds_at_once(service: Service) -> None:
    service.post_bodies(0, 1, 2)
    claim, _ = service.claim("?limit=2")
    for _ in range(2):
        assert service.delete(claim).status_code == 204
    assert service.bodies() == [0, 1, 2]
    refused(service.get(claim), 404)
    assert service.delete("/v2/queues/none/claims/x").status_code == 204


def test_claims_do_not_steal(service: Service) -> None:
    service.post_bodies(*range(4))
    first, _ = service.claim("?limit=2")
    second, _ = service.claim("?limit=2")
    service.delete(first)
    _, messages = service.claim("?limit=4")
    assert [each["body"] for each in messages] == [0, 1]
    assert [each["body"] for each in service.get(second).json()["messages"]] == [2, 3]
    stats = service.get("/v2/queues/q/stats").json()["messages"]
    assert (stats["claimed"], stats["free"]) == (4, 0)


def test_one_message_of_a_claim_is_released_alone(service: Service) -> None:
    ids = service.post_bodies(0, 1, 2)
    claim, _ = service.claim()
    assert service.patch(f"{claim}/messages/{ids[1]}").status_code == 204
    assert service.bodies() == [1]
    assert service.patch(f"{claim}/messages/{ids[0]}", json={"delay": 5}).status_code == 204
    assert service.bodies() == [1]
    assert [each["body"] for each in service.get(claim).json()["messages"]] == [2]
    service.pass_s(5)
    assert service.bodies() == [1, 0]
    refused(service.patch(f"{claim}/messages/{ids[1]}"), 404, ids[1])
    refused(service.patch(f"{claim}/messages/unknown"), 404, "unknown")
    refused(service.patch(f"/v2/queues/q/claims/unknown/messages/{ids[2]}"), 404, "unknown")


@pytest.mark.parametrize("body", [{"delay": -1}, {"delay": 43201}, {"delay": "x"}, {"delay": None}, []])
def test_a_release_that_makes_no_sense_is_refused(service: Service, body: Any) -> None:
    (id_,) = service.post_bodies(1)
    claim, _ = service.claim()
    refused(service.patch(f"{claim}/messages/{id_}", json=body), 400)
    assert service.bodies() == []


def test_live_claims_are_listed(service: Service) -> None:
    service.post_bodies(*range(5))
    paths = [service.claim("?limit=1", ttl=60 + 60 * number)[0] for number in range(3)]
    service.pass_s(60)
    document = service.get("/v2/queues/q/claims?limit=1").json()
    claim_id = paths[1].rpartition("/")[2]
    assert document["claims"] == [{"id": claim_id, "href": paths[1], "age": 60, "ttl": 120}]
    assert document["links"][0]["href"] == f"/v2/queues/q/claims?limit=1&marker={claim_id}"
    rest = service.get(document["links"][0]["href"]).json()
    assert [each["href"] for each in rest["claims"]] == paths[2:]
    assert service.get("/v2/queues/none/claims").json() == {"claims": [], "links": []}
    refused(service.get("/v2/queues/q/claims?limit=21"), 400, "20")


def test_a_message_claimed_too_often_goes_to_the_dead_letter_queue(service: Service) -> None:
    rule = {"_max_claim_count": 2, "_dead_letter_queue": "dead", "_dead_letter_queue_messages_ttl": 500}
    service.put("/v2/queues/q", json=rule)
    ids = service.post_bodies(0, 1, ttl=300)
    for _ in range(2):
        claim, messages = service.claim()
        assert len(messages) == 2
        service.delete(claim)
    assert service.claim()[1] == []
    assert service.bodies("?echo=true&include_claimed=true") == []
    messages = service.get("/v2/queues/dead/messages?echo=true&detailed=true").json()["messages"]
    reason = {"reason": "max_claim_count", "queue": "q", "claim_count": 2}
    assert [(each["id"], each["ttl"], each["body"], each["dead_letter"]) for each in messages] == [
        (ids[0], 500, 0, reason),
        (ids[1], 500, 1, reason),
    ]
    # Clients that do not ask see a message like any other.
    plain = service.get("/v2/queues/dead/messages?echo=true").json()["messages"][0]
    assert set(plain) == {"id", "href", "ttl", "age", "body"}


def test_the_sweeper_moves_dead_letters_when_nobody_claims(service: Service) -> None:
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    service.post_bodies(0, ttl=3600)
    service.claim(ttl=60)
    service.sweep()
    assert service.bodies(queue="dead") == []
    service.pass_s(60)
    service.sweep()
    assert service.bodies(queue="dead") == [0]
    assert service.get("/v2/queues/dead/messages?echo=true").json()["messages"][0]["ttl"] == 3600


def test_a_message_deleted_in_its_last_claim_is_no_dead_letter(service: Service) -> None:
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    service.post_bodies(0)
    _, (message,) = service.claim()
    assert service.delete(message["href"]).status_code == 204
    service.sweep()
    assert service.bodies(queue="dead") == []


@pytest.mark.parametrize(
    "rule",
    [{"_max_claim_count": 1}, {"_dead_letter_queue": "dead"}, {"_max_claim_count": 0, "_dead_letter_queue": "dead"}],
)
def test_only_a_count_and_a_queue_together_are_a_rule(service: Service, rule: dict[str, Any]) -> None:
    service.put("/v2/queues/q", json=rule)
    service.post_bodies(0)
    for _ in range(4):
        claim, messages = service.claim()
        assert len(messages) == 1
        service.delete(claim)


def test_a_message_comes_back_when_the_rule_that_set_it_aside_is_gone(service: Service) -> None:
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    service.post_bodies(0)
    claim, _ = service.claim()
    service.delete(claim)
    service.delete("/v2/queues/q/messages?ids=unknown")
    change = [{"op": "remove", "path": "/metadata/_max_claim_count"}]
    service.patch(
        "/v2/queues/q", json=change, headers={"content-type": "application/openstack-messaging-v2.0-json-patch"}
    )
    service.sweep()
    assert len(service.claim()[1]) == 1

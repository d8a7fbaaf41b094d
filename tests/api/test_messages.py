"""Messages over HTTP."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.calling import OTHER_CLIENT, Service, refused


def test_a_message_expires(service: Service) -> None:
    (id_,) = service.post_bodies(1, ttl=60)
    service.pass_s(59.999)
    assert service.bodies() == [1]
    service.pass_s(0.001)
    assert service.bodies() == []
    refused(service.get(f"/v2/queues/q/messages/{id_}"), 404, id_)
    service.sweep()
    assert service.get("/v2/queues/q/stats").json()["messages"]["total"] == 0


def test_a_client_does_not_hear_its_own_echo(service: Service) -> None:
    service.post_bodies(*range(12))
    response = service.post("/v2/queues/q/messages", json={"messages": [{"body": "other"}]}, client=OTHER_CLIENT)
    assert response.status_code == 201
    assert service.bodies("") == ["other"]
    assert service.bodies("?echo=false&limit=1") == ["other"]
    assert service.bodies("?echo=true") == [*range(12), "other"]


def test_a_listing_is_walked_by_its_links(service: Service) -> None:
    service.post_bodies(*range(25))
    first = service.get("/v2/queues/q/messages?echo=true").json()
    assert [each["body"] for each in first["messages"]] == list(range(10))
    (link,) = first["links"]
    assert link["rel"] == "next"
    assert link["href"].startswith("/v2/queues/q/messages?echo=true&marker=")
    for query in (
        "?echo=true&limit=1",
        "?echo=true&limit=20",
        "?echo=true&include_claimed=true&include_delayed=true&limit=7",
    ):
        assert service.bodies(query) == list(range(25))
    assert service.get("/v2/queues/q/messages").json() == {
        "messages": [],
        "links": service.get("/v2/queues/q/messages").json()["links"],
    }
    assert service.get("/v2/queues/none/messages").json() == {"messages": [], "links": []}


def test_what_happens_between_two_pages_neither_repeats_nor_skips(service: Service) -> None:
    ids = service.post_bodies(*range(6))
    page = service.get("/v2/queues/q/messages?echo=true&limit=3").json()
    service.delete(f"/v2/queues/q/messages/{ids[2]}")
    service.claim("?limit=1")
    service.post_bodies(6)
    rest = service.get(page["links"][0]["href"]).json()["messages"]
    assert [each["body"] for each in rest] == [3, 4, 5]


def test_the_id_of_a_message_is_a_marker_too(service: Service) -> None:
    ids = service.post_bodies(*range(5))
    for query in ("echo=true", "echo=true&include_claimed=true"):
        assert service.bodies(f"?{query}&marker={ids[2]}") == [3, 4]
    service.claim("?limit=3")
    assert service.bodies(f"?echo=true&marker={ids[2]}") == [3, 4]


@pytest.mark.parametrize("marker", ["nonsense", "1-", "-1-1", "1-1-1", "00000000-0000-7000-8000-0000000fffff"])
def test_an_unknown_marker_is_refused(service: Service, marker: str) -> None:
    service.post_bodies(1)
    refused(service.get(f"/v2/queues/q/messages?marker={marker}"), 400, '"marker"', title="Invalid parameter")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=0", "Limit must be at least 1 and may not be greater than 20."),
        ("limit=21", "Limit must be at least 1 and may not be greater than 20."),
        ("limit=abc", 'The "limit" parameter is invalid. The value must be an integer.'),
        ("echo=zzz", 'The "echo" parameter is invalid. The value of the parameter must be "true" or "false".'),
        ("include_claimed=2", '"include_claimed"'),
        ("include_delayed=2", '"include_delayed"'),
        ("detailed=2", '"detailed"'),
        ("wait=61", '"wait"'),
        ("wait=-1", '"wait"'),
        ("wait=x", '"wait"'),
        ("ids=" + ",".join("a" * 21), "Limit must be at least 1 and may not be greater than 20."),
        ("&".join(f"p{number}=1" for number in range(101)), "100"),
        ("limit=%FF", "UTF-8"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(service: Service, query: str, words: str) -> None:
    refused(service.get(f"/v2/queues/q/messages?{query}"), 400, words)


def test_claimed_and_delayed_messages_are_shown_on_request(service: Service) -> None:
    service.post_bodies("late", delay=60)
    service.post_bodies("held", "free")
    service.claim("?limit=1")
    assert service.bodies("?echo=true") == ["free"]
    assert service.bodies("?echo=true&include_claimed=true") == ["held", "free"]
    assert service.bodies("?echo=true&include_delayed=true") == ["late", "free"]
    assert service.bodies("?echo=true&include_claimed=true&include_delayed=true") == ["late", "held", "free"]


def test_messages_are_got_by_their_ids(service: Service) -> None:
    ids = service.post_bodies(0, 1, 2)
    service.claim("?limit=1")
    messages = service.get(f"/v2/queues/q/messages?ids={ids[2]},unknown,{ids[0]}").json()["messages"]
    assert [each["body"] for each in messages] == [2, 0]
    repeated = service.get(f"/v2/queues/q/messages?ids={ids[2]}&ids={ids[0]}").json()["messages"]
    assert [each["body"] for each in repeated] == [2, 0]
    refused(
        service.get("/v2/queues/q/messages?ids=a,b"),
        404,
        "No messages with IDs: ['a', 'b'] found in the queue q for project p.",
        title="Not found",
    )


def test_a_message_that_is_not_there_is_not_found(service: Service) -> None:
    refused(service.get("/v2/queues/q/messages/x"), 404, "Queue q does not exist for project p")
    service.put("/v2/queues/q")
    refused(
        service.get("/v2/queues/q/messages/x"),
        404,
        "Message x does not exist in queue q for project p",
        title="Not found",
    )


def test_a_message_is_reached_through_its_own_queue_only(service: Service) -> None:
    (id_,) = service.post_bodies(1)
    service.put("/v2/queues/other")
    refused(service.get(f"/v2/queues/other/messages/{id_}"), 404)
    refused(service.get(f"/v2/queues/other/messages?ids={id_}"), 404)
    assert service.delete(f"/v2/queues/other/messages/{id_}").status_code == 204
    assert service.delete(f"/v2/queues/other/messages?ids={id_}").status_code == 204
    assert service.bodies() == [1]


def test_deleting_is_idempotent(service: Service) -> None:
    ids = service.post_bodies(0, 1, 2)
    for _ in range(2):
        assert service.delete(f"/v2/queues/q/messages/{ids[0]}").status_code == 204
        assert service.delete(f"/v2/queues/q/messages?ids={ids[1]},unknown").status_code == 204
    assert service.delete("/v2/queues/none/messages/x").status_code == 204
    assert service.bodies() == [2]


def test_a_claimed_message_is_deleted_with_its_claim_only(service: Service) -> None:
    ids = service.post_bodies(0, 1, 2)
    claim = service.claim("?limit=1")[0].rpartition("/")[2]
    other = service.claim("?limit=1")[0].rpartition("/")[2]

    def delete(index: int, claim_id: str | None = None) -> Any:
        return service.delete(f"/v2/queues/q/messages/{ids[index]}" + (f"?claim_id={claim_id}" if claim_id else ""))

    claimed = "This message is claimed; it cannot be deleted without a valid claim ID."
    unclaimed = "A claim was specified, but the message is not currently claimed."
    refused(delete(0), 403, claimed, title="Unable to delete")
    refused(delete(0, other), 403, claimed, title="Unable to delete")
    refused(delete(0, "foo"), 400, "The specified claim does not exist or has expired.", title="Unable to delete")
    refused(delete(2, claim), 400, unclaimed, title="Unable to delete")
    assert delete(0, claim).status_code == 204
    assert delete(0, claim).status_code == 204
    assert service.delete("/v2/queues/q/messages/unknown?claim_id=foo").status_code == 204
    assert service.bodies("?echo=true&include_claimed=true") == [1, 2]


def test_a_bulk_deletion_needs_no_claim(service: Service) -> None:
    ids = service.post_bodies(0, 1)
    service.claim("?limit=1")
    assert service.delete(f"/v2/queues/q/messages?ids={','.join(ids)}").status_code == 204
    assert service.bodies("?echo=true&include_claimed=true") == []


def test_a_bulk_deletion_needs_claims_if_the_service_is_told_so(start: Callable[..., Service]) -> None:
    service = start(message_delete_with_claim_id=True)
    ids = service.post_bodies(0, 1, 2, 3)
    claims = [service.claim("?limit=1")[0].rpartition("/")[2] for _ in range(2)]
    refused(service.delete(f"/v2/queues/q/messages?ids={ids[0]}"), 400, '"ids" and "claim_ids"')
    path = f"/v2/queues/q/messages?ids={ids[0]},{ids[1]},unknown&claim_ids={','.join(claims)}"
    assert service.delete(path).status_code == 204
    assert service.delete(path).status_code == 204
    refused(service.delete(f"/v2/queues/q/messages?ids={ids[2]}&claim_ids={claims[0]}"), 403, ids[2])
    assert service.bodies() == [2, 3]
    assert service.delete(f"/v2/queues/q/messages/{ids[2]}").status_code == 204


def test_popping_takes_and_deletes_the_first_messages(service: Service) -> None:
    ids = service.post_bodies(0, 1, 2, ttl=300)
    service.pass_s(3)
    (first, second) = service.delete("/v2/queues/q/messages?pop=2").json()["messages"]
    claim_id = first.pop("claim_id")
    assert first == {"id": ids[0], "age": 3, "ttl": 300, "body": 0, "claim_count": 1}
    assert second["claim_id"] == claim_id
    assert service.delete("/v2/queues/q/messages?pop=20").json()["messages"][0]["body"] == 2
    assert service.delete("/v2/queues/q/messages?pop=1").json() == {"messages": []}
    assert service.delete("/v2/queues/none/messages?pop=1").json() == {"messages": []}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", 'The request should have either "ids" or "pop" parameter in the request, to be able to delete.'),
        ("?ids=", 'either "ids" or "pop"'),
        ("?pop=1&ids=a", "pop and id params cannot be present together in the delete request."),
        ("?pop=0", "Pop value must be at least 1 and may not be greater than 20."),
        ("?pop=21", "Pop value must be at least 1 and may not be greater than 20."),
        ("?pop=x", '"pop"'),
        ("?ids=" + ",".join("a" * 21), "Limit must be at least 1 and may not be greater than 20."),
    ],
)
def test_a_bulk_deletion_that_makes_no_sense_is_refused(service: Service, query: str, words: str) -> None:
    refused(service.delete(f"/v2/queues/q/messages{query}"), 400, words)


def test_a_checksum_is_that_of_the_body_as_python_writes_it(start: Callable[..., Service]) -> None:
    service = start(enable_checksum=True)
    (id_, _, _) = service.post_bodies({"a": 1}, "é", None)
    expected = [f"MD5:{hashlib.md5(json.dumps(body).encode()).hexdigest()}" for body in ({"a": 1}, "é")]
    assert expected[0] == "MD5:42b7b4f2921788ea14dac5566e6f06d0"
    messages = service.get("/v2/queues/q/messages?echo=true").json()["messages"]
    assert [each.get("checksum") for each in messages] == [*expected, None]
    assert service.get(f"/v2/queues/q/messages/{id_}").json()["checksum"] == expected[0]
    assert service.claim("?limit=1")[1][0]["checksum"] == expected[0]
    assert service.delete("/v2/queues/q/messages?pop=1").json()["messages"][0]["checksum"] == expected[1]

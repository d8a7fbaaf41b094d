"""Latest-only queues: a newer message takes the place of the older one with the same key."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.calling import Service
from tests.api.faces import Face, Refusal
from tests.api.streams import Stream

KEY = "k1:" + "A" * 43 + "="


def bodies(face: Face, queue: str = "q") -> list[Any]:
    return [each.body for each in face.listing(queue, echo=True, include_claimed=True)]


def post(face: Face, *given: Any, **more: Any) -> None:
    for body in given:
        face.post("q", {"body": body} | more)


@pytest.mark.parametrize("all_of_them", [True, "*"])
def test_a_queue_may_keep_the_latest_message_only(face: Face, all_of_them: Any) -> None:
    face.create("q", {"_conflate": all_of_them})
    post(face, "first", {"a": 1}, "last")
    assert bodies(face) == ["last"]
    assert face.counts("q") == (0, 1, 1)
    assert face.pop("q", 1) == ["last"]
    assert face.pop("q", 1) == []


def test_a_member_of_the_body_says_which_message_takes_which_ones_place(face: Face) -> None:
    face.create("q", {"_conflate": "server.id"})
    first = [{"server": {"id": id_}, "n": 1} for id_ in ("a", "b", 7)]
    plain = [{"n": 1}, {"n": 2}, "text", {"server": "a"}, {"server": {"id": None}}, {"server": {"id": None}}]
    post(face, *first, *plain)
    post(face, {"server": {"id": "a"}, "n": 2}, {"server": {"id": 7}, "n": 2})
    assert bodies(face) == [first[1], *plain, {"server": {"id": "a"}, "n": 2}, {"server": {"id": 7}, "n": 2}]


def test_what_is_claimed_stays_with_its_claimer(face: Face) -> None:
    face.create("q", {"_conflate": True})
    post(face, 1)
    claim, held = face.claim("q")
    post(face, 2, 3)
    assert bodies(face) == [1, 3]
    face.delete("q", held[0].id, claim)
    assert bodies(face) == [3]


def test_what_was_there_before_the_queue_was_latest_only_stays(face: Face) -> None:
    post(face, 1, 2)
    face.change("q", [{"op": "add", "path": "/metadata/_conflate", "value": True}])
    post(face, 3, 4)
    assert bodies(face) == [1, 2, 4]
    face.change("q", [{"op": "remove", "path": "/metadata/_conflate"}])
    post(face, 5, 6)
    assert bodies(face) == [1, 2, 4, 5, 6]


def test_listeners_and_those_who_come_back_to_a_history_hear_every_post(service: Service) -> None:
    service.put("/v2/queues/q", json={"_conflate": True, "_history": 600})
    with Stream(service) as stream:
        service.post_bodies(1, 2)
        service.post_bodies(3)
        assert stream.bodies(3) == [1, 2, 3]
        since = stream.ready["data"]["position"]
    with Stream(service, query=f"since={since}") as stream:
        assert stream.ready["data"]["recovered"]
        assert stream.bodies(3) == [1, 2, 3]
    assert service.bodies() == [3]


def test_a_subscriber_gets_every_post(service: Service) -> None:
    service.put("/v2/queues/q", json={"_conflate": True})
    subscription = {"subscriber": "http://example.org/", "ttl": 3_600}
    id_ = service.post("/v2/queues/q/subscriptions", json=subscription).json()["subscription_id"]
    service.post_bodies(1, 2, 3)
    deliveries = service.get(f"/v2/queues/q/subscriptions/{id_}/deliveries").json()
    assert [each["state"] for each in deliveries["deliveries"]] == ["waiting"] * 3


def test_a_repeated_post_takes_nobodys_place(face: Face) -> None:
    face.create("q", {"_conflate": True})
    ids = face.post("q", {"body": 1}, key="once")
    post(face, 2)
    assert face.post("q", {"body": 1}, key="once") == ids
    assert bodies(face) == [2]


def test_an_encrypted_queue_keeps_the_latest_only_and_its_keys_tell_nothing(
    start: Callable[..., Service], tmp_path: Any
) -> None:
    service = start(encryption_keys=KEY)
    service.put("/v2/queues/q", json={"_conflate": "id", "_enable_encrypt_messages": True})
    service.put("/v2/queues/open", json={"_conflate": "id"})
    for queue in ("q", "open"):
        service.post_bodies({"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "a", "n": 3}, queue=queue)
        assert [each["n"] for each in service.bodies(queue=queue)] == [2, 3]


def test_events_are_replaced_by_their_own_members(service: Service) -> None:
    service.put("/v2/queues/q", json={"_conflate": "subject"})
    for number in range(3):
        event = {"specversion": "1.0", "id": str(number), "source": "/s", "type": "t", "subject": "x", "data": number}
        headers = {"content-type": "application/cloudevents+json"}
        service.post("/v2/queues/q/events", content=json.dumps(event), headers=headers)
    assert [each["data"] for each in service.bodies()] == [2]


def test_a_message_that_was_claimed_too_often_becomes_a_dead_letter_though_a_newer_one_came(service: Service) -> None:
    service.put("/v2/queues/q", json={"_conflate": True, "_dead_letter_queue": "dead", "_max_claim_count": 1})
    service.post_bodies("poison", ttl=3_600)
    service.claim(ttl=60)
    service.pass_s(60)
    service.post_bodies("newer", ttl=3_600)
    service.sweep()
    assert service.bodies() == ["newer"]
    assert service.bodies(queue="dead") == ["poison"]


def test_dead_letters_of_a_latest_only_queue_take_the_place_of_older_ones(service: Service) -> None:
    service.put("/v2/queues/dead", json={"_conflate": "id"})
    service.put("/v2/queues/q", json={"_dead_letter_queue": "dead", "_max_claim_count": 1})
    for number in range(2):
        service.post_bodies({"id": 1, "n": number}, ttl=3_600)
        service.claim(ttl=60)
        service.pass_s(60)
        service.sweep()
    assert service.bodies(queue="dead") == [{"id": 1, "n": 1}]


def test_large_numbers_that_differ_do_not_take_each_others_place(service: Service) -> None:
    service.put("/v2/queues/q", json={"_conflate": "id"})
    service.post_bodies({"id": 12345678901234567890123}, {"id": 12345678901234567890124})
    assert len(service.bodies()) == 2


@pytest.mark.parametrize("value", [1, ["a"], {"a": 1}, "x" * 257])
def test_a_key_that_means_nothing_is_refused(face: Face, value: Any) -> None:
    with pytest.raises(Refusal, match="_conflate") as refusal:
        face.create("q", {"_conflate": value})
    assert refusal.value.status == 400

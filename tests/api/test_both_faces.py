"""One suite for both transports: whatever a client does, it comes to the same over HTTP and over WebSocket."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.calling import OTHER_CLIENT, Service
from tests.api.faces import Face, Refusal

Open = Callable[..., Face]
HOOK = "http://example.org/hook"


def refused(status: int, words: str, call: Callable[[], Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        call()
    assert refusal.value.status == status
    assert words.lower() in refusal.value.text.lower()


def post(face: Face, *bodies: Any, queue: str = "q", **more: Any) -> list[str]:
    return face.post(queue, *({"body": body, **more} for body in bodies))


# -- queues


def test_a_queue_is_new_once(face: Face) -> None:
    assert face.create("q", {"a": 1})
    assert not face.create("q")
    assert face.change("q", [])["a"] == 1
    face.remove("q")
    face.remove("q")
    assert face.create("q")


def test_queues_are_listed_by_name(face: Face) -> None:
    for name in "dcba":
        face.create(name)
    assert face.queues() == ["a", "b", "c", "d"]
    assert face.queues(limit=2, marker="a") == ["b", "c"]
    refused(400, "Limit must be at least 1", lambda: face.queues(limit=0))


def test_metadata_are_changed_as_a_whole_or_not_at_all(face: Face) -> None:
    face.create("q", {"a": 1})
    changes: list[dict[str, Any]] = [
        {"op": "add", "path": "/metadata/b", "value": [2]},
        {"op": "replace", "path": "/metadata/_default_message_ttl", "value": 60},
    ]
    changed = face.change("q", changes)
    assert (changed["a"], changed["b"], changed["_default_message_ttl"]) == (1, [2], 60)
    bad: list[dict[str, Any]] = [
        {"op": "remove", "path": "/metadata/a"},
        {"op": "add", "path": "/metadata/_history", "value": -1},
    ]
    refused(400, "_history", lambda: face.change("q", bad))
    assert face.change("q", [])["a"] == 1
    post(face, 1)
    assert face.listing("q", echo=True)[0].ttl == 60


@pytest.mark.parametrize("name", ["a b", "ü", "x" * 65])
def test_a_name_that_no_queue_may_have_is_refused(face: Face, name: str) -> None:
    refused(400, "queue name", lambda: face.create(name))


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"_default_message_ttl": 59}, "_default_message_ttl"),
        ({"_max_claim_count": "x"}, "_max_claim_count"),
        ({"_persistence": 1}, "_persistence"),
        ({"a": "x" * 70_000}, "65536"),
    ],
)
def test_metadata_that_cannot_be_honoured_are_refused(face: Face, metadata: dict[str, Any], words: str) -> None:
    refused(400, words, lambda: face.create("q", metadata))
    assert face.queues() == []


def test_a_queue_is_emptied(face: Face) -> None:
    post(face, 1, 2)
    face.claim("q", 1)
    face.subscribe("q", subscriber=HOOK)
    face.purge("q", "messages")
    assert face.counts("q") == (0, 0, 0)
    assert len(face.subscriptions("q")) == 1
    face.purge("q", "subscriptions")
    assert face.subscriptions("q") == []
    refused(400, "Resource types", lambda: face.purge("q", "claims"))


# -- messages


def test_messages_are_listed_as_they_were_posted(face: Face, service: Service) -> None:
    bodies = [{"ü": [1.5, None, True]}, "text", 0, []]
    ids = post(face, *bodies, ttl=300)
    service.pass_s(5)
    found = face.listing("q", echo=True)
    assert [(each.id, each.ttl, each.age, each.body) for each in found] == [
        (id_, 300, 5, body) for id_, body in zip(ids, bodies, strict=True)
    ]
    assert face.message("q", ids[1]) == found[1]
    assert [each.body for each in face.listing("q", ids=f"{ids[0]},{ids[2]}")] == [bodies[0], bodies[2]]


def test_a_client_is_spared_its_own_messages(open_face: Open) -> None:
    face, other = open_face(), open_face(client=OTHER_CLIENT)
    post(face, "mine")
    post(other, "other's")
    assert [each.body for each in face.listing("q")] == ["other's"]
    assert [each.body for each in other.listing("q")] == ["mine"]
    assert len(face.listing("q", echo=True)) == 2


def test_delayed_and_claimed_messages_are_shown_to_those_who_ask(face: Face, service: Service) -> None:
    post(face, "claimed")
    face.claim("q", ttl=60)
    post(face, "delayed", delay=60)
    post(face, "free")

    def shown(**flags: bool) -> list[Any]:
        return [each.body for each in face.listing("q", echo=True, **flags)]

    assert shown() == ["free"]
    assert shown(include_claimed=True) == ["claimed", "free"]
    assert shown(include_claimed=True, include_delayed=True) == ["claimed", "delayed", "free"]
    service.pass_s(61)
    assert sorted(shown()) == ["claimed", "delayed", "free"]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"body": 1, "ttl": 59}, "TTL"),
        ({"body": 1, "ttl": "x"}, "ttl"),
        ({"body": 1, "delay": 901}, "delay"),
        ({"ttl": 60}, "body"),
        ({"body": "x" * 262_144}, "262144"),
    ],
)
def test_one_message_that_is_wrong_keeps_all_out(face: Face, message: dict[str, Any], words: str) -> None:
    refused(400, words, lambda: face.post("q", {"body": "good"}, message))
    assert face.queues() == []


def test_a_repeated_post_is_stored_once(face: Face) -> None:
    first = face.post("q", {"body": 1}, key="k")
    assert face.post("q", {"body": 1}, key="k") == first
    assert len(face.listing("q", echo=True)) == 1
    refused(409, "idempotency key", lambda: face.post("q", {"body": 2}, key="k"))


def test_messages_are_deleted(face: Face) -> None:
    ids = post(face, *range(5))
    face.delete("q", ids[0])
    face.delete("q", ids[0])
    face.delete_many("q", ids[1:3])
    assert face.pop("q", 1) == [3]
    assert [each.body for each in face.listing("q", echo=True)] == [4]
    refused(404, ids[0], lambda: face.message("q", ids[0]))
    refused(400, "Pop value", lambda: face.pop("q", 21))


# -- claims


def test_a_claim_holds_what_it_took_until_it_ends(face: Face, service: Service) -> None:
    ids = post(face, *range(3), ttl=3600)
    claim, taken = face.claim("q", 2, ttl=100, grace=60)
    assert [each.id for each in taken] == ids[:2]
    assert face.held("q", claim) == (100, taken)
    assert face.claim("q", ttl=60)[1][0].id == ids[2]
    assert face.claim("q") == ("", [])
    assert face.counts("q") == (3, 0, 3)
    service.pass_s(90)
    face.renew("q", claim, ttl=200)
    service.pass_s(199)
    assert face.held("q", claim)[0] == 200
    service.pass_s(1)
    refused(404, "does not exist", lambda: face.held("q", claim))
    refused(404, "does not exist", lambda: face.renew("q", claim, ttl=60))
    assert {each.id for each in face.claim("q")[1]} == set(ids)


def test_a_claimed_message_is_deleted_with_its_claim_alone(face: Face) -> None:
    (id_,) = post(face, 1)
    claim, _ = face.claim("q", ttl=60)
    refused(403, "claimed", lambda: face.delete("q", id_))
    refused(400, "claim", lambda: face.delete("q", id_, "no-such-claim"))
    face.delete("q", id_, claim)
    assert face.counts("q") == (0, 0, 0)


def test_a_claim_that_is_ended_frees_its_messages(face: Face) -> None:
    ids = post(face, 1, 2)
    claim, _ = face.claim("q")
    face.end("q", claim)
    face.end("q", claim)
    assert [each.id for each in face.claim("q")[1]] == ids


@pytest.mark.parametrize("members", [{"ttl": 59}, {"ttl": 43_201}, {"grace": 59}, {"ttl": "60"}, {"grace": True}])
def test_a_claim_that_cannot_be_is_refused(face: Face, members: dict[str, Any]) -> None:
    post(face, 1)
    (name,) = members
    refused(400, name, lambda: face.claim("q", **members))
    assert face.counts("q") == (0, 1, 1)


# -- subscriptions


def test_a_subscription_is_there_until_it_is_ended(face: Face, service: Service) -> None:
    id_ = face.subscribe("q", subscriber=HOOK, ttl=600, options={"a": 1})
    assert face.subscribe("q", subscriber=HOOK, ttl=600, options={"a": 1}) == id_
    service.pass_s(5)
    (shown,) = face.subscriptions("q")
    assert (shown["id"], shown["subscriber"], shown["ttl"], shown["age"]) == (id_, HOOK, 600, 5)
    refused(409, "already exists", lambda: face.subscribe("q", subscriber=HOOK, ttl=601))
    refused(400, "TTL", lambda: face.subscribe("q", subscriber=HOOK + "2", ttl=59))
    face.unsubscribe("q", id_)
    face.unsubscribe("q", id_)
    assert face.subscriptions("q") == []


# -- projects


def test_projects_are_apart(open_face: Open) -> None:
    mine, theirs = open_face(project="p"), open_face(project="p2")
    (id_,) = post(mine, "mine")
    claim, _ = mine.claim("q")
    assert theirs.queues() == []
    refused(404, "does not exist", lambda: theirs.message("q", id_))
    refused(404, "does not exist", lambda: theirs.held("q", claim))
    post(theirs, "theirs")
    assert [each.body for each in theirs.listing("q", echo=True, include_claimed=True)] == ["theirs"]
    theirs.remove("q")
    assert mine.held("q", claim)[1][0].body == "mine"

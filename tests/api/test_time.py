"""What the passing of time does to messages and claims, to the millisecond."""

from typing import Any

import pytest

from tests.api.calling import PATCH_TYPE, Service, refused

MESSAGES = "/v2/queues/q/messages"


def counts(service: Service, queue: str = "q") -> dict[str, int]:
    stats = service.get(f"/v2/queues/{queue}/stats").json()["messages"]
    return {name: stats[name] for name in ("claimed", "free", "delayed", "total")}


def test_a_delayed_message_is_there_for_those_who_know_it_and_for_nobody_else(service: Service) -> None:
    (id_,) = service.post_bodies("late", delay=100)
    assert service.get(f"{MESSAGES}/{id_}").json()["body"] == "late"
    assert service.get(f"{MESSAGES}?ids={id_}").json()["messages"][0]["body"] == "late"
    assert service.claim()[1] == []
    assert service.delete(f"{MESSAGES}?pop=1").json() == {"messages": []}
    assert service.bodies() == []
    service.pass_s(99.999)
    assert service.claim()[1] == []
    service.pass_s(0.001)
    assert [each["body"] for each in service.claim()[1]] == ["late"]


def test_v1_1_knows_no_way_to_show_a_delayed_message(service: Service) -> None:
    service.post_bodies("late", delay=100)
    assert service.get("/v1.1/queues/q/messages?echo=true&include_delayed=true").json()["messages"] == []
    service.pass_s(100)
    (message,) = service.get("/v1.1/queues/q/messages?echo=true").json()["messages"]
    assert message["body"] == "late"


def test_a_delayed_message_behind_a_ready_one_waits(service: Service) -> None:
    service.post_bodies("now")
    service.post_bodies("late", delay=900)
    assert [each["body"] for each in service.claim("?limit=20")[1]] == ["now"]


def test_a_delayed_message_can_be_deleted(service: Service) -> None:
    one, other = service.post_bodies(0, 1, delay=100)
    assert service.delete(f"{MESSAGES}/{one}").status_code == 204
    assert service.delete(f"{MESSAGES}?ids={other}").status_code == 204
    assert counts(service)["total"] == 0


def test_a_message_that_lives_no_longer_than_its_delay_is_never_shown(service: Service) -> None:
    service.post_bodies("short", ttl=60, delay=60)
    service.pass_s(60)
    assert service.claim()[1] == []
    assert service.bodies("?echo=true&include_delayed=true") == []


def test_age_is_told_in_whole_seconds_since_the_post(service: Service) -> None:
    (id_,) = service.post_bodies(0, delay=1)
    for passed, age in ((0.999, 0), (0.001, 1), (58.999, 59), (0.001, 60)):
        service.pass_s(passed)
        assert service.get(f"{MESSAGES}/{id_}").json()["age"] == age
    claim, (message,) = service.claim()
    service.pass_s(2.5)
    assert message["age"] == 60
    shown = service.get(claim).json()
    assert (shown["age"], shown["messages"][0]["age"]) == (2, 62)


def test_a_claim_is_not_shortened_by_time_that_it_did_not_use(service: Service) -> None:
    service.post_bodies(0)
    claim, _ = service.claim(ttl=100)
    service.pass_s(99.999)
    assert service.patch(claim, json={"ttl": 100}).status_code == 204
    service.pass_s(99.999)
    assert service.get(claim).status_code == 200
    service.pass_s(0.001)
    assert service.get(claim).status_code == 404


def test_a_late_worker_changes_nothing_for_the_one_who_came_after(service: Service) -> None:
    (id_,) = service.post_bodies(0)
    old, _ = service.claim(ttl=60)
    service.pass_s(60)
    new, _ = service.claim(ttl=100)
    old_id = old.rpartition("/")[2]
    refused(service.delete(f"{MESSAGES}/{id_}?claim_id={old_id}"), 400, title="Unable to delete")
    refused(service.patch(old, json={"ttl": 43_200}), 404)
    refused(service.patch(f"{old}/messages/{id_}", json={"delay": 60}), 404)
    assert service.delete(old).status_code == 204
    shown = service.get(new).json()
    assert (shown["ttl"], [each["id"] for each in shown["messages"]]) == (100, [id_])
    assert service.delete(f"{MESSAGES}/{id_}?claim_id={new.rpartition('/')[2]}").status_code == 204


def test_a_message_is_as_good_as_unclaimed_once_its_claim_ended(service: Service) -> None:
    (id_,) = service.post_bodies(0)
    service.claim(ttl=60)
    refused(service.delete(f"{MESSAGES}/{id_}"), 403)
    service.pass_s(60)
    assert counts(service) == {"claimed": 0, "free": 1, "delayed": 0, "total": 1}
    assert service.bodies() == [0]
    assert service.delete(f"{MESSAGES}/{id_}").status_code == 204


def test_stats_follow_what_expires_without_a_sweep(service: Service) -> None:
    service.post_bodies("held", ttl=60)
    service.claim(ttl=100, grace=60)
    service.post_bodies("head", ttl=60)
    (left,) = service.post_bodies("left", ttl=300)
    service.post_bodies("tail", ttl=60)
    assert counts(service) == {"claimed": 1, "free": 3, "delayed": 0, "total": 4}
    service.pass_s(60)
    assert counts(service) == {"claimed": 1, "free": 1, "delayed": 0, "total": 2}
    service.pass_s(40)
    assert counts(service) == {"claimed": 0, "free": 2, "delayed": 0, "total": 2}
    service.pass_s(60)
    stats = service.get("/v2/queues/q/stats").json()["messages"]
    assert {stats[name]["href"] for name in ("oldest", "newest")} == {f"{MESSAGES}/{left}"}
    service.pass_s(140)
    assert service.get("/v2/queues/q/stats").json() == {"messages": {"claimed": 0, "free": 0, "delayed": 0, "total": 0}}


@pytest.mark.parametrize("end", ["released", "expired", "released alone"])
def test_every_way_a_claim_ends_counts_towards_the_dead_letter_queue(service: Service, end: str) -> None:
    service.put("/v2/queues/q", json={"_max_claim_count": 2, "_dead_letter_queue": "dead"})
    (id_,) = service.post_bodies("x")
    for _ in range(2):
        claim, messages = service.claim(ttl=60)
        assert len(messages) == 1
        match end:
            case "released":
                service.delete(claim)
            case "expired":
                service.pass_s(60)
            case "released alone":
                service.patch(f"{claim}/messages/{id_}")
    assert service.claim()[1] == []
    (dead,) = service.get("/v2/queues/dead/messages?echo=true&detailed=true").json()["messages"]
    assert (dead["id"], dead["dead_letter"]) == (
        id_,
        {"reason": "max_claim_count", "queue": "q", "claim_count": 2},
    )


def test_extending_a_claim_does_not_count_as_another_claim(service: Service) -> None:
    service.put("/v2/queues/q", json={"_max_claim_count": 2, "_dead_letter_queue": "dead"})
    service.post_bodies("x")
    claim, _ = service.claim(ttl=60)
    for _ in range(5):
        assert service.patch(claim, json={"ttl": 60}).status_code == 204
    service.delete(claim)
    assert len(service.claim()[1]) == 1


def test_a_dead_letter_lives_as_long_as_its_queue_says_from_then_on(service: Service) -> None:
    rule: dict[str, Any] = {
        "_max_claim_count": 1,
        "_dead_letter_queue": "d.e-a_d",
        "_dead_letter_queue_messages_ttl": 500,
    }
    service.put("/v2/queues/q", json=rule)
    service.post_bodies({"a": [1]}, ttl=1_000)
    service.delete(service.claim()[0])
    service.pass_s(100)
    service.sweep()
    assert service.bodies(queue="d.e-a_d") == [{"a": [1]}]
    service.pass_s(499.999)
    claim, (message,) = service.claim(queue="d.e-a_d", ttl=60, grace=60)
    assert message["body"] == {"a": [1]}
    service.delete(claim)
    service.pass_s(1_000)
    assert service.bodies(queue="d.e-a_d") == []


def test_a_pop_passes_by_what_was_claimed_too_often(service: Service) -> None:
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    service.post_bodies("spent")
    service.delete(service.claim()[0])
    service.post_bodies("fresh")
    assert [each["body"] for each in service.delete(f"{MESSAGES}?pop=20").json()["messages"]] == ["fresh"]
    service.sweep()
    assert service.bodies(queue="dead") == ["spent"]


def test_a_rule_that_is_loosened_in_time_keeps_the_message(service: Service) -> None:
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    service.post_bodies("x")
    claim, _ = service.claim()
    changes = [{"op": "replace", "path": "/metadata/_max_claim_count", "value": 3}]
    assert service.patch("/v2/queues/q", json=changes, headers={"content-type": PATCH_TYPE}).status_code == 200
    service.delete(claim)
    assert len(service.claim()[1]) == 1
    assert service.bodies(queue="dead") == []

"""Queues that go when nobody has used them for so long."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from sukkal import limits
from sukkal.errors import StoreUnavailable
from tests.api.calling import PATCH_TYPE, Service
from tests.api.faces import Face, Refusal
from tests.api.sockets import Socket
from tests.api.streams import Stream

IDLE_S = 100


def make(service: Service, name: str = "q", **more: Any) -> None:
    assert service.put(f"/v2/queues/{name}", json={"_expires_after": IDLE_S} | more).status_code == 201


def there(service: Service, name: str = "q") -> bool:
    listed = service.get("/v2/queues?limit=20").json()["queues"]
    return name in [each["name"] for each in listed]


def test_a_queue_that_nobody_uses_goes_with_what_is_in_it(service: Service, face: Face) -> None:
    face.create("q", {"_expires_after": IDLE_S})
    face.create("other")
    face.post("q", {"body": 1, "ttl": 3_600})
    service.pass_s(IDLE_S - 0.001)
    service.sweep()
    assert face.queues() == ["other", "q"]
    service.pass_s(0.001)
    service.sweep()
    assert face.queues() == ["other"]
    assert service.bodies() == []


@pytest.mark.parametrize(
    "use",
    [
        lambda service: service.post_bodies(1),
        lambda service: service.get("/v2/queues/q/messages"),
        lambda service: service.get("/v2/queues/q/messages?ids=unknown"),
        lambda service: service.get("/v2/queues/q/messages/unknown"),
        lambda service: service.delete("/v2/queues/q/messages/unknown"),
        lambda service: service.delete("/v2/queues/q/messages?ids=unknown"),
        lambda service: service.delete("/v2/queues/q/messages?pop=1"),
        lambda service: service.post("/v2/queues/q/claims"),
        lambda service: service.get("/v2/queues/q/claims"),
        lambda service: service.get("/v2/queues/q/claims/unknown"),
        lambda service: service.patch("/v2/queues/q/claims/unknown", json={"ttl": 60}),
        lambda service: service.delete("/v2/queues/q/claims/unknown"),
        lambda service: service.post("/v2/queues/q/messages/raw", content="1"),
        lambda service: service.post("/v2/queues/q/purge", json={"resource_types": ["messages"]}),
        lambda service: service.post("/v2/queues/q/purge", json={"resource_types": ["subscriptions"]}),
    ],
)
def test_whoever_uses_a_queue_keeps_it(service: Service, use: Callable[[Service], Any]) -> None:
    make(service)
    service.pass_s(IDLE_S - 1)
    use(service)
    service.pass_s(IDLE_S - 0.001)
    service.sweep()
    assert there(service)
    service.pass_s(0.001)
    service.sweep()
    assert not there(service)


def test_to_look_at_a_queue_itself_is_no_use_of_it(service: Service) -> None:
    make(service)
    service.pass_s(IDLE_S - 1)
    service.get("/v2/queues/q")
    service.get("/v2/queues/q/stats")
    service.put("/v2/queues/q", json={})
    service.pass_s(1)
    service.sweep()
    assert not there(service)


def test_a_queue_stays_while_somebody_listens_and_goes_so_long_after(service: Service) -> None:
    make(service)
    with Stream(service):
        service.pass_s(10 * IDLE_S)
        service.sweep()
        assert there(service)
        service.pass_s(IDLE_S - 1)
    service.pass_s(IDLE_S - 1)
    service.sweep()
    assert there(service)
    service.pass_s(1)
    service.sweep()
    assert not there(service)


def test_a_queue_stays_while_a_websocket_listens(service: Service) -> None:
    make(service)
    with Socket(service) as socket:
        socket.ask("subscription_create", {"queue_name": "q", "ttl": 60_000})
        service.pass_s(10 * IDLE_S)
        service.sweep()
        assert there(service)


def test_a_queue_stays_while_something_is_claimed(service: Service) -> None:
    make(service)
    service.post_bodies(1, ttl=3_600)
    service.claim(ttl=3 * IDLE_S)
    service.pass_s(2 * IDLE_S)
    service.sweep()
    assert there(service)


def test_a_queue_goes_although_a_claim_lives_of_which_everything_is_deleted(service: Service) -> None:
    make(service)
    service.post_bodies(1, ttl=3_600)
    _, [message] = service.claim(ttl=3 * IDLE_S)
    service.delete(message["href"])
    service.pass_s(IDLE_S)
    service.sweep()
    assert not there(service)


def test_a_queue_stays_while_it_has_a_subscription(service: Service) -> None:
    make(service)
    subscription = {"subscriber": "http://example.org/", "ttl": 86_400}
    id_ = service.post("/v2/queues/q/subscriptions", json=subscription).json()["subscription_id"]
    service.pass_s(5 * IDLE_S)
    service.sweep()
    assert there(service)
    service.pass_s(IDLE_S - 1)
    service.delete(f"/v2/queues/q/subscriptions/{id_}")
    service.pass_s(IDLE_S - 1)
    service.sweep()
    assert there(service)
    service.pass_s(1)
    service.sweep()
    assert not there(service)


def test_the_time_can_be_changed_and_the_attribute_removed(service: Service, face: Face) -> None:
    face.create("q", {"_expires_after": IDLE_S})
    face.change("q", [{"op": "replace", "path": "/metadata/_expires_after", "value": 3 * IDLE_S}])
    service.pass_s(2 * IDLE_S)
    service.sweep()
    assert face.queues() == ["q"]
    face.change("q", [{"op": "replace", "path": "/metadata/_expires_after", "value": IDLE_S}])
    service.pass_s(IDLE_S - 1)
    service.sweep()
    assert face.queues() == ["q"]
    face.change("q", [{"op": "remove", "path": "/metadata/_expires_after"}])
    service.pass_s(10 * IDLE_S)
    service.sweep()
    assert face.queues() == ["q"]


def test_a_queue_that_was_deleted_and_made_anew_has_its_whole_time(service: Service) -> None:
    make(service)
    service.pass_s(IDLE_S - 1)
    service.delete("/v2/queues/q")
    make(service)
    service.pass_s(IDLE_S - 1)
    service.sweep()
    assert there(service)
    service.pass_s(1)
    service.sweep()
    assert not there(service)


def test_a_queue_that_came_again_without_the_attribute_stays(service: Service) -> None:
    make(service)
    service.delete("/v2/queues/q")
    service.post_bodies(1)
    service.pass_s(10 * IDLE_S)
    service.sweep()
    assert there(service)


def test_topics_go_too(service: Service) -> None:
    service.put("/v2/topics/t", json={"_expires_after": IDLE_S})
    service.pass_s(IDLE_S)
    service.sweep()
    assert service.get("/v2/topics").json()["topics"] == []


def test_what_is_left_when_a_process_ends_expires_in_the_next_one(start: Callable[..., Service], tmp_path: Any) -> None:
    store = f"sqlite:///{tmp_path}/kept"
    first = Service(store)
    make(first)
    first.post_bodies(1, ttl=3_600)
    first.pass_s(IDLE_S - 1)
    first.close()
    second = Service(store, first_id=1_000)
    second.clock.advance(1_000_000_000)
    second.sweep()
    assert there(second)
    second.pass_s(IDLE_S - 1)
    second.sweep()
    assert there(second)
    second.pass_s(1)
    second.sweep()
    assert not there(second)
    second.close()


@pytest.mark.parametrize("value", [-1, 31_536_001, 1.5, "60", True])
def test_a_time_that_cannot_be_kept_to_is_refused(face: Face, value: Any) -> None:
    with pytest.raises(Refusal, match="_expires_after") as refusal:
        face.create("q", {"_expires_after": value})
    assert refusal.value.status == 400


def test_what_was_posted_to_a_queue_that_has_gone_is_not_found_any_more(service: Service) -> None:
    make(service, _search=True)
    service.post_bodies({"event_type": "a.b", "message_id": "m", "payload": {}})
    service.deliver()
    assert len(service.get("/v2/events").json()["events"]) == 1
    service.pass_s(IDLE_S)
    service.sweep()
    assert not there(service)
    assert service.get("/v2/events").json()["events"] == []


def idle_queues(service: Service) -> Any:
    return service.app.sweeper._idle


def test_nothing_is_kept_of_queues_that_are_gone(service: Service) -> None:
    for number in range(50):
        make(service, f"q{number}", _expires_after=31_536_000)
        service.delete(f"/v2/queues/q{number}")
    service.sweep()
    assert len(idle_queues(service)._due) < 10


def test_nothing_is_kept_of_changes_of_metadata(service: Service) -> None:
    make(service, _expires_after=31_536_000)
    for number in range(50):
        change = [{"op": "add", "path": "/metadata/color", "value": number}]
        answer = service.patch("/v2/queues/q", json=change, headers={"content-type": PATCH_TYPE})
        assert answer.status_code == 200
    service.sweep()
    assert len(idle_queues(service)._due) < 10


def test_a_queue_that_is_made_anew_while_it_is_deleted_still_goes(service: Service) -> None:
    make(service)
    removal: Any = service.app.services.queues._removal
    remove = removal.remove

    async def slowly(*what: Any, **more: Any) -> None:
        await remove(*what, **more)
        removal.remove = remove
        # Between the deletion and its end another client is faster.
        made = await service.request("PUT", "/v2/queues/q", json={"_expires_after": IDLE_S})
        assert made.status_code == 201

    removal.remove = slowly
    service.delete("/v2/queues/q")
    assert there(service)
    service.pass_s(IDLE_S)
    service.sweep()
    assert not there(service)


def test_changes_of_one_queue_do_not_keep_others_that_are_idle(service: Service) -> None:
    make(service, _expires_after=1)
    for number in range(limits.IDLE_QUEUES_PER_ROUND + 1):
        change = [{"op": "add", "path": "/metadata/color", "value": number}]
        service.patch("/v2/queues/q", json=change, headers={"content-type": PATCH_TYPE})
    service.pass_s(1)
    service.put("/v2/queues/theirs", json={"_expires_after": 1}, project="other")
    service.pass_s(1)
    service.sweep()
    listed = service.get("/v2/queues?limit=20", project="other").json()["queues"]
    assert listed == []


def test_a_queue_stays_while_a_claim_waits(service: Service) -> None:
    make(service)

    async def scenario() -> None:
        claim = asyncio.ensure_future(service.request("POST", "/v2/queues/q/claims?wait=60"))
        for _ in range(200):
            await asyncio.sleep(0)
        service.pass_s(IDLE_S)
        await service.app.sweeper.sweep()
        claim.cancel()

    service.run(scenario())
    assert there(service)


def test_a_queue_goes_although_looking_at_it_failed_once(service: Service) -> None:
    make(service)
    idle = idle_queues(service)
    browse = idle._store.browse

    async def failing(*what: Any, **more: Any) -> Any:
        raise StoreUnavailable("The disk is full.")

    service.pass_s(IDLE_S)
    idle._store.browse = failing
    with contextlib.suppress(StoreUnavailable):
        service.sweep()
    idle._store.browse = browse
    service.pass_s(IDLE_S)
    service.sweep()
    assert not there(service)

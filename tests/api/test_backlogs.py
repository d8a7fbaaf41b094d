"""How much may wait for a subscriber, and what becomes of the rest."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal import limits
from sukkal.sink import Outcome
from tests.api.calling import Service
from tests.api.sockets import Socket
from tests.api.test_deliveries import BAD, BASE, GOOD, Obedient, ledger, sink, start, subscribe

__all__ = ["sink", "start"]  # fixtures

ROOM: Final = 4
"""How many messages of these tests a backlog holds."""

DOWN: Final = "test://one/x"
HOUR_S: Final = 3_600
NEVER: Final = Outcome(delivered=False, permanent=True, error="Never.")


@pytest.fixture(name="service")
def full_at_four(start: Callable[..., Service], monkeypatch: pytest.MonkeyPatch) -> Service:
    """Return a service whose backlogs hold four messages."""
    monkeypatch.setattr(limits, "DELIVERY_EXTRA_BYTES", limits.BACKLOG_BYTES_MAX_MIN // ROOM - 10)
    return start(max_backlog_size=limits.BACKLOG_BYTES_MAX_MIN)


def dropped(service: Service, id_: str) -> int:
    return int(service.get(f"{BASE}/{id_}/deliveries").json()["dropped"])


def waiting(service: Service, id_: str) -> int:
    return len([each for each in ledger(service, id_) if each["state"] != "delivered"])


def test_what_finds_a_backlog_full_is_posted_and_counted_and_waits_for_others_as_always(
    service: Service, sink: Obedient
) -> None:
    sink.outcomes[DOWN] = BAD
    down, up = subscribe(service), subscribe(service, "test://two")
    for number in range(ROOM + 3):
        service.post_bodies(number)
        service.deliver()
    assert service.bodies() == list(range(ROOM + 3))
    assert sink.bodies("test://two") == [str(number) for number in range(ROOM + 3)]
    assert (waiting(service, down), dropped(service, down)) == (ROOM, 3)
    assert (waiting(service, up), dropped(service, up)) == (0, 0)


def test_a_post_of_several_messages_is_copied_as_a_whole_or_not_at_all(service: Service, sink: Obedient) -> None:
    sink.outcomes[DOWN] = BAD
    id_ = subscribe(service)
    service.post_bodies(1, 2, 3)
    service.post_bodies(4, 5)
    service.post_bodies(6)
    service.pass_s(10 * 86_400)
    sink.outcomes[DOWN], sink.given = GOOD, []
    service.deliver()
    assert sink.bodies() == ["1", "2", "3", "6"]
    assert dropped(service, id_) == 2


def test_what_was_accepted_is_delivered_and_makes_room(service: Service, sink: Obedient) -> None:
    sink.outcomes[DOWN] = BAD
    id_ = subscribe(service)
    service.post_bodies(*range(ROOM))
    service.post_bodies("lost")
    sink.outcomes[DOWN] = GOOD
    service.pass_s(HOUR_S)
    service.deliver()
    assert waiting(service, id_) == 0
    service.post_bodies("new")
    service.deliver()
    assert sink.bodies()[-1] == '"new"'
    assert dropped(service, id_) == 1


def test_what_was_given_up_makes_room_the_oldest_first(service: Service, sink: Obedient) -> None:
    sink.outcomes[DOWN] = NEVER
    id_ = subscribe(service)
    service.post_bodies(*range(ROOM))
    service.deliver()
    assert {each["state"] for each in ledger(service, id_)} == {"dead"}
    sink.outcomes[DOWN] = GOOD
    service.post_bodies("new")
    service.deliver()
    assert sink.bodies()[-1] == '"new"'
    assert dropped(service, id_) >= 1


def test_no_more_is_dropped_than_has_to_be(service: Service, sink: Obedient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BURY_MESSAGES_MAX", 1)
    sink.outcomes[DOWN] = NEVER
    id_ = subscribe(service)
    service.post_bodies(*range(ROOM))
    service.deliver()
    sink.outcomes[DOWN] = BAD
    service.post_bodies("new", "newer")
    assert dropped(service, id_) == 2
    service.deliver()
    assert [each["state"] for each in ledger(service, id_)] == ["dead", "dead", "retrying", "retrying"]
    redriven = service.post(f"{BASE}/{id_}/redrive", json={}).json()
    assert redriven == {"redriven": 2}


def test_what_goes_to_a_dead_letter_queue_leaves_the_backlog(service: Service, sink: Obedient) -> None:
    sink.outcomes[DOWN] = NEVER
    id_ = subscribe(service, options={"_dead_letter_queue": "dead"})
    service.post_bodies(*range(ROOM))
    service.deliver()
    sink.outcomes[DOWN] = BAD
    service.post_bodies("new")
    assert (waiting(service, id_), dropped(service, id_)) == (1, 0)
    assert len(service.bodies(queue="dead")) == ROOM


def test_a_full_backlog_is_known_to_a_service_that_has_just_begun(
    sink: Obedient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(limits, "DELIVERY_EXTRA_BYTES", limits.BACKLOG_BYTES_MAX_MIN // ROOM - 10)
    sink.outcomes[DOWN] = BAD
    store, size = f"sqlite:///{tmp_path}", limits.BACKLOG_BYTES_MAX_MIN
    with closing(Service(store, sink=sink, max_backlog_size=size)) as service:
        id_ = subscribe(service)
        service.post_bodies(*range(ROOM))
    with closing(Service(store, sink=sink, max_backlog_size=size, first_id=1_000)) as service:
        service.post_bodies("lost")
        assert (waiting(service, id_), dropped(service, id_)) == (ROOM, 1)


def test_both_faces_tell_what_was_dropped(service: Service, sink: Obedient) -> None:
    sink.outcomes[DOWN] = BAD
    id_ = subscribe(service)
    service.post_bodies(*range(ROOM + 1))
    with Socket(service) as socket:
        told: Any = socket.ask("delivery_list", {"queue_name": "q", "subscription_id": id_}).body
    assert told == {"deliveries": [], "dropped": ROOM + 1}
    assert service.get(f"{BASE}/{id_}/deliveries").json() == told


def test_a_full_backlog_is_counted_only_once_in_a_while(
    service: Service, sink: Obedient, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[str] = []
    store = service.app.deliveries._letters._fan_out._backlogs._store
    usage_of = store.usage_of

    async def counted(key: Any, **more: Any) -> Any:
        counts.append(key.name)
        return await usage_of(key, **more)

    monkeypatch.setattr(store, "usage_of", counted)
    sink.outcomes[DOWN] = BAD
    id_ = subscribe(service)
    for number in range(3 * ROOM):
        service.post_bodies(number)
    assert counts == [id_] * 2
    service.pass_s(limits.BACKLOG_COUNT_PAUSE_S)
    service.post_bodies("x")
    service.post_bodies("y")
    assert counts == [id_] * 3


def test_posts_at_the_same_moment_lose_nothing_to_an_old_count(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service)
    for first in range(0, 4 * ROOM, ROOM):

        async def together(first: int = first) -> None:
            posts = [
                service.request("POST", "/v2/queues/q/messages", json={"messages": [{"body": number}]})
                for number in range(first, first + ROOM)
            ]
            assert {response.status_code for response in await asyncio.gather(*posts)} == {201}

        service.run(together())
        service.deliver()
    assert sorted(map(int, sink.bodies())) == list(range(4 * ROOM))
    assert dropped(service, id_) == 0


def post_again(service: Service, kind: str, number: int) -> bool:
    """Post a message that is always the same for a number, and tell whether it was there."""
    if kind == "events":
        event = {"specversion": "1.0", "id": str(number), "source": "/s", "type": "t"}
        response = service.post("/v2/queues/q/events", json=[event], headers=BATCH)
    else:
        key = {"idempotency-key": f"k{number}"}
        response = service.post("/v2/queues/q/messages", json={"messages": [{"body": number}]}, headers=key)
    assert response.status_code == 201, response.text
    return "idempotency-replayed" in response.headers


BATCH: Final = {"content-type": "application/cloudevents-batch+json"}
HELD: Final = {"messages": ROOM, "events": ROOM - 1}
"""How many of a kind a backlog holds: events are larger."""

KINDS: Final = pytest.mark.parametrize("kind", HELD)


@KINDS
@pytest.mark.parametrize("outcome", [BAD, NEVER], ids=["is tried again", "was given up"])
def test_what_is_posted_again_takes_no_room_and_drops_nothing(
    service: Service, sink: Obedient, kind: str, outcome: Outcome
) -> None:
    sink.outcomes[DOWN] = outcome
    down = subscribe(service)
    for number in range(HELD[kind]):
        assert not post_again(service, kind, number)
        service.deliver()
    for number in range(HELD[kind]):
        service.pass_s(60)
        assert post_again(service, kind, number)
    assert (waiting(service, down), dropped(service, down)) == (HELD[kind], 0)


@KINDS
def test_a_post_and_its_repetition_at_once_take_room_for_one(service: Service, sink: Obedient, kind: str) -> None:
    sink.outcomes[DOWN] = NEVER
    down = subscribe(service)
    for number in range(HELD[kind] - 1):
        post_again(service, kind, number)
        service.deliver()

    async def at_once() -> list[Any]:
        event = {"specversion": "1.0", "id": "new", "source": "/s", "type": "t"}
        body: object = [event, event] if kind == "events" else {"messages": [{"body": "n"}]}
        headers = BATCH if kind == "events" else {"idempotency-key": "new"}
        path = f"/v2/queues/q/{kind}"
        return await asyncio.gather(*[service.request("POST", path, json=body, headers=headers) for _ in range(5)])

    answers = service.run(at_once())
    assert {answer.status_code for answer in answers} == {201}
    assert len({path for answer in answers for path in answer.json()["resources"]}) == 1
    assert ["idempotency-replayed" in answer.headers for answer in answers].count(False) == 1
    assert (waiting(service, down), dropped(service, down)) == (HELD[kind], 0)

"""Heartbeats: a listener is told, once for each silence, that an expected event did not come in time."""

import contextlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal.errors import StoreUnavailable
from sukkal.service.posting import Posting
from sukkal.service.settling import Settling
from sukkal.sink import Delivery, Outcome
from tests.api.calling import Service, refused
from tests.api.test_deliveries import BAD, GOOD, Obedient

WITHIN_S: Final = 300
OVERDUE: Final = "sukkal.listener.overdue"
INGEST: Final = "/v2/queues/mistral/ingest"
ENTERED: Final = {"event": "TASK_LAUNCHED", "id": "1", "name": "t", "state": "RUNNING", "workflow_name": "w"}


class Receiver(Obedient):
    """Answers everything in the same way."""

    answer = GOOD

    async def attempt(self, delivery: Delivery) -> Outcome:
        await super().attempt(delivery)
        return self.answer


@pytest.fixture
def sink() -> Receiver:
    return Receiver()


@pytest.fixture
def service(start: Callable[..., Service], sink: Receiver) -> Service:
    return start(sink=sink)


def listen(service: Service, **more: Any) -> str:
    order = {"task": "t", "events": ["on-enter"], "url": "test://x/", "ttl": 10**7, "heartbeat": {"within": WITHIN_S}}
    response = service.post("/v2/listeners", json={**order, **more})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def enter(service: Service, name: str = "t") -> None:
    """Let Mistral tell that a task was entered."""
    service.post_bodies({**ENTERED, "name": name}, queue="mistral")


async def unavailable(*_: Any, **__: Any) -> Any:
    raise StoreUnavailable("The disk is full.")


def types(service: Service, sink: Receiver) -> list[str]:
    service.deliver()
    return [json.loads(body)["type"] for body in sink.bodies()]


def pass_s(service: Service, seconds: int) -> None:
    """Let time pass in steps, with a round of deliveries at each."""
    for _ in range(seconds // 10):
        service.pass_s(10)
        service.deliver()


def test_silence_from_the_beginning_is_told_when_the_time_is_over(service: Service, sink: Receiver) -> None:
    id_ = listen(service)
    service.pass_s(WITHIN_S - 1)
    assert types(service, sink) == []
    service.pass_s(1)
    assert types(service, sink) == [OVERDUE]
    [event] = [json.loads(body) for body in sink.bodies()]
    assert event["source"] == f"/v2/listeners/{id_}"
    assert event["data"] == {
        "listener": id_,
        "since": event["data"]["since"],
        "within": WITHIN_S,
        "expected": {"task": "t", "events": ["on-enter"], "heartbeat": {"within": WITHIN_S}},
    }
    assert sink.given[0].media_type == "application/cloudevents+json"


def test_silence_is_told_once(service: Service, sink: Receiver) -> None:
    listen(service)
    pass_s(service, 5 * WITHIN_S)
    assert types(service, sink) == [OVERDUE]


def test_silence_is_told_once_however_long_it_lasts(start: Callable[..., Service], sink: Receiver) -> None:
    service = start(sink=sink, idempotency_window_s=60)
    listen(service)
    pass_s(service, 5 * WITHIN_S)
    assert types(service, sink) == [OVERDUE]


def test_what_comes_in_time_begins_the_time_anew(service: Service, sink: Receiver) -> None:
    listen(service)
    for _ in range(5):
        pass_s(service, WITHIN_S - 10)
        enter(service)
    assert types(service, sink) == ["mistral.task.launched"] * 5
    service.pass_s(WITHIN_S - 1)
    assert OVERDUE not in types(service, sink)
    service.pass_s(1)
    assert types(service, sink)[5:] == [OVERDUE]


@pytest.mark.parametrize("pause_s", [10, 150, 290, 300, 310, 750])
def test_each_silence_is_told_exactly_when_its_time_is_over(service: Service, sink: Receiver, pause_s: int) -> None:
    listen(service)
    pass_s(service, WITHIN_S + pause_s)
    enter(service)
    service.deliver()
    pass_s(service, WITHIN_S - 10)
    assert types(service, sink) == [OVERDUE, "mistral.task.launched"]
    pass_s(service, 10)
    assert types(service, sink)[2:] == [OVERDUE]
    assert len({body for body in sink.bodies() if OVERDUE in body}) == 2


def test_events_that_are_not_waited_for_break_no_silence(service: Service, sink: Receiver) -> None:
    listen(service)
    service.pass_s(WITHIN_S - 1)
    enter(service, "other")
    service.pass_s(1)
    assert types(service, sink) == [OVERDUE]


def test_a_deadline_and_what_was_heard_survive_a_restart(tmp_path: Path, sink: Receiver) -> None:
    with contextlib.closing(Service(f"sqlite:///{tmp_path}/data", sink=sink)) as service:
        listen(service)
        service.pass_s(200)
        enter(service)
        service.deliver()
    with contextlib.closing(Service(f"sqlite:///{tmp_path}/data", sink=sink, first_id=10_000)) as service:
        service.pass_s(200 + WITHIN_S - 1)
        assert types(service, sink) == ["mistral.task.launched"]
        service.pass_s(1)
        assert types(service, sink)[1:] == [OVERDUE]


def test_silence_that_was_told_before_a_crash_is_not_told_again(
    service: Service, sink: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(service)
    service.pass_s(WITHIN_S)
    with monkeypatch.context() as crashing:
        crashing.setattr(Settling, "_settle", unavailable)  # so the deadline comes back as it was
        service.deliver()
    service.pass_s(WITHIN_S)
    assert types(service, sink) == [OVERDUE]


def test_an_event_counts_as_heard_before_its_post_is_answered(
    service: Service, sink: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(service)
    service.pass_s(WITHIN_S - 1)
    with monkeypatch.context() as failing:
        failing.setattr(Posting, "publish", unavailable)
        assert service.run(service.request("POST", INGEST, json=ENTERED)).status_code == 503
    service.pass_s(1)
    assert types(service, sink) == []


def test_a_deadline_lasts_as_long_as_its_listener(service: Service, sink: Receiver) -> None:
    day_s = 86_400
    listen(service, ttl=10**9, heartbeat={"within": 30 * day_s})
    for _ in range(14):
        service.pass_s(29 * day_s)
        service.deliver()
        enter(service)
    assert OVERDUE not in types(service, sink)
    service.pass_s(30 * day_s)
    assert types(service, sink)[-1] == OVERDUE


def test_time_in_which_one_is_not_confirmed_is_no_silence(start: Callable[..., Service], sink: Receiver) -> None:
    service = start(sink=sink, require_confirmation=True, signed_url_keys="a key to sign URLs with")
    path = f"/v2/queues/mistral/subscriptions/{listen(service).rpartition('~')[2]}/confirm"
    service.put(path, json={"confirmed": True})
    enter(service)
    service.put(path, json={"confirmed": False})
    pass_s(service, 2 * WITHIN_S + 100)
    service.put(path, json={"confirmed": True})
    # It looked last 100 s ago, and that is when the time began.
    pass_s(service, WITHIN_S - 110)
    assert [body for body in sink.bodies() if OVERDUE in body] == []
    pass_s(service, 10)
    [event] = [json.loads(body) for body in sink.bodies() if OVERDUE in body]
    lasted = datetime.fromisoformat(event["time"]) - datetime.fromisoformat(event["data"]["since"])
    assert lasted.total_seconds() == WITHIN_S


@pytest.mark.parametrize("confirms", [True, False])
def test_one_that_has_not_confirmed_is_told_of_no_silence_before_it_does(
    start: Callable[..., Service],
    sink: Receiver,
    confirms: bool,
) -> None:
    service = start(sink=sink, require_confirmation=True, signed_url_keys="a key to sign URLs with")
    id_ = listen(service).rpartition("~")[2]
    service.pass_s(WITHIN_S)
    service.deliver()
    if confirms:
        service.put(f"/v2/queues/mistral/subscriptions/{id_}/confirm", json={"confirmed": True})
    pass_s(service, 2 * WITHIN_S)
    told = [body for body in sink.bodies() if OVERDUE in body]
    assert len(told) == int(confirms)


def test_one_that_is_gone_is_told_of_no_silence(service: Service, sink: Receiver) -> None:
    listen(service)
    sink.answer = Outcome(delivered=False, status=410, gone=True)
    enter(service)
    service.deliver()
    given = len(sink.given)
    pass_s(service, 2 * WITHIN_S)
    assert len(sink.given) == given
    sink.answer = GOOD
    listen(service)
    pass_s(service, 2 * WITHIN_S)
    assert types(service, sink)[given:] == [OVERDUE]


def test_a_deadline_is_no_delivery(service: Service) -> None:
    id_ = listen(service).rpartition("~")[2]
    path = f"/v2/queues/mistral/subscriptions/{id_}"
    assert service.get(f"{path}/deliveries").json()["deliveries"] == []
    assert service.post(f"{path}/redrive", json={}).json() == {"redriven": 0}
    pass_s(service, WITHIN_S)
    assert [each["state"] for each in service.get(f"{path}/deliveries").json()["deliveries"]] == ["delivered"]


def test_a_heartbeat_may_come_to_a_listener_later(service: Service, sink: Receiver) -> None:
    id_ = listen(service).rpartition("~")[2]
    path = f"/v2/queues/mistral/subscriptions/{id_}"
    options = service.get(path).json()["options"]
    without = {**options, "_listener": {"task": "t"}}
    service.patch(path, json={"options": without})
    pass_s(service, 2 * WITHIN_S)
    service.patch(path, json={"options": options})
    service.pass_s(WITHIN_S - 1)
    assert types(service, sink) == []
    service.pass_s(1)
    assert types(service, sink) == [OVERDUE]


@pytest.mark.parametrize("terms", [5, {}, {"task": "t", "heartbeat": {"within": 1}}])
def test_a_subscription_that_says_what_no_listener_can_wait_for_is_refused(service: Service, terms: Any) -> None:
    order = {"subscriber": "test://x/", "options": {"_listener": terms}}
    refused(service.post("/v2/queues/q/subscriptions", json=order), 400)


def test_silence_is_told_again_and_again_until_its_url_has_taken_it(service: Service, sink: Receiver) -> None:
    listen(service)
    sink.answer = BAD
    pass_s(service, WITHIN_S)
    sink.answer = GOOD
    pass_s(service, 10 * WITHIN_S)
    assert len(sink.given) > 1
    assert len({each.id for each in sink.given}) == 1


def test_a_listener_that_is_gone_is_told_nothing(service: Service, sink: Receiver) -> None:
    service.delete(f"/v2/listeners/{listen(service)}")
    pass_s(service, 2 * WITHIN_S)
    assert types(service, sink) == []


def test_a_listener_without_a_heartbeat_any_more_is_told_nothing(service: Service, sink: Receiver) -> None:
    id_ = listen(service).rpartition("~")[2]
    service.patch(f"/v2/queues/mistral/subscriptions/{id_}", json={"options": {}})
    pass_s(service, 2 * WITHIN_S)
    assert types(service, sink) == []


def test_a_post_that_is_refused_is_not_heard_of(service: Service, sink: Receiver) -> None:
    listen(service)
    service.put("/v2/limits/p", json={"messages": 0}, headers={"x-roles": "admin"})
    pass_s(service, WITHIN_S - 20)
    answer = service.post("/v2/queues/mistral/messages", json={"messages": [{"body": ENTERED}]})
    assert answer.status_code == 429
    pass_s(service, 30)
    assert types(service, sink) == [OVERDUE]


def test_what_is_posted_again_is_not_heard_of_again(service: Service, sink: Receiver) -> None:
    listen(service)
    ingested = service.post("/v2/queues/mistral/ingest", json=ENTERED)
    assert ingested.status_code == 201
    pass_s(service, WITHIN_S - 20)
    assert service.post("/v2/queues/mistral/ingest", json=ENTERED).headers["idempotency-replayed"] == "true"
    pass_s(service, 30)
    assert types(service, sink)[-1] == OVERDUE

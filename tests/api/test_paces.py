"""Subscriptions that say how fast they want their deliveries."""

import asyncio
from typing import Any

import pytest

from sukkal import limits
from sukkal.sink import Delivery, Outcome
from tests.api.calling import Service, refused
from tests.api.test_deliveries import BAD, GOOD, Obedient, ledger, sink, start, subscribe

__all__ = ["sink", "start"]  # fixtures


@pytest.fixture
def service(start: Any) -> Service:
    started: Service = start()
    return started


def test_deliveries_are_made_one_by_one_unless_a_subscription_says_otherwise(service: Service, sink: Obedient) -> None:
    assert most_at_once(service, sink, {}) == 1


@pytest.mark.parametrize("count", [2, limits.DELIVERIES_AT_ONCE])
def test_so_many_deliveries_are_made_at_once(service: Service, sink: Obedient, count: int) -> None:
    assert most_at_once(service, sink, {"_max_deliveries_at_once": count}) == count


def most_at_once(service: Service, sink: Obedient, options: dict[str, Any]) -> int:
    """Deliver 20 messages and return how many attempts were under way at the same time."""
    counts = {"now": 0, "most": 0}

    async def attempt(delivery: Delivery) -> Outcome:
        counts["now"] += 1
        counts["most"] = max(counts["most"], counts["now"])
        for _ in range(5):
            await asyncio.sleep(0)
        counts["now"] -= 1
        sink.given.append(delivery)
        return GOOD

    sink.attempt = attempt  # type: ignore[method-assign]
    id_ = subscribe(service, options=options)
    service.post_bodies(*range(20))
    service.deliver()
    assert sorted(sink.bodies(), key=int) == [str(number) for number in range(20)]
    assert [entry["state"] for entry in ledger(service, id_)] == ["delivered"] * 20
    return counts["most"]


def test_one_of_many_at_once_that_fails_is_tried_again_alone(service: Service, sink: Obedient) -> None:
    subscribe(service, options={"_max_deliveries_at_once": 5, "_retry_schedule": [10]})
    attempt = sink.attempt

    async def fails_once(delivery: Delivery) -> Outcome:
        await attempt(delivery)
        return BAD if delivery.body == b"3" and delivery.attempt == 1 else GOOD

    sink.attempt = fails_once  # type: ignore[method-assign]
    service.post_bodies(*range(6))
    service.deliver()
    assert len(sink.given) == 6
    service.pass_s(20)
    service.deliver()
    assert sink.bodies()[6:] == ["3"]


def test_an_endpoint_that_may_be_well_again_is_tried_with_one_delivery(service: Service, sink: Obedient) -> None:
    subscribe(service, options={"_max_deliveries_at_once": 10, "_retry_schedule": [1] * 50})
    sink.outcomes["test://one/x"] = BAD
    service.post_bodies(*range(10))
    service.deliver()
    assert len(sink.given) == 10
    service.pass_s(limits.BREAKER_PAUSE_S_MAX)
    service.deliver()
    assert len(sink.given) == 11


NO_ROOM = Outcome(delivered=False, attempted=False, error="There is no room.")


@pytest.mark.parametrize("at_once", [1, 5])
def test_a_delivery_for_which_the_sink_has_no_room_waits_and_counts_as_none(
    service: Service, sink: Obedient, at_once: int
) -> None:
    id_ = subscribe(service, options={"_retry_schedule": [], "_max_deliveries_at_once": at_once})
    subscribe(service, "test://two")
    sink.outcomes["test://one/x"] = NO_ROOM
    service.post_bodies(*range(5))
    for round_ in range(1, 2 * limits.BREAKER_FAILURES):
        for _ in range(2):
            service.deliver()
            assert len(sink.bodies("test://one/x")) == round_ * at_once
        service.pass_s(limits.DELIVERY_UNATTEMPTED_PAUSE_S)
    first = ledger(service, id_)[0]
    assert (first["state"], first["attempts"], first["error"]) == ("retrying", 0, "There is no room.")
    assert sink.bodies("test://two") == ["0", "1", "2", "3", "4"]
    sink.given.clear()
    sink.outcomes["test://one/x"] = GOOD
    service.deliver()
    assert sorted(sink.bodies("test://one/x")) == ["0", "1", "2", "3", "4"]
    assert at_once > 1 or sink.bodies("test://one/x") == ["0", "1", "2", "3", "4"]
    assert {delivery.attempt for delivery in sink.given} == {1}


def test_a_sink_that_knows_when_there_is_room_is_left_alone_until_then(service: Service, sink: Obedient) -> None:
    subscribe(service)
    sink.outcomes["test://one/x"] = Outcome(delivered=False, attempted=False, error="Full.", retry_after_s=60)
    service.post_bodies(1)
    for passed_s, tried in ((0, 1), (59, 1), (1, 2)):
        service.pass_s(passed_s)
        service.deliver()
        assert len(sink.given) == tried


def test_no_more_deliveries_are_made_in_a_second_than_wanted(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service, options={"_max_deliveries_per_second": 3})
    subscribe(service, "test://two")
    service.post_bodies(*range(10))
    service.deliver()
    assert len(sink.bodies("test://two")) == 10
    counts = []
    for _ in range(4):
        counts.append(len(sink.bodies("test://one/x")))
        service.pass_s(1)
        service.deliver()
    assert counts == [3, 6, 9, 10]
    assert sink.bodies("test://one/x") == [str(number) for number in range(10)]
    assert {entry["attempts"] for entry in ledger(service, id_)} == {1}
    service.pass_s(3_600)
    service.post_bodies(*range(10))
    service.deliver()
    assert len(sink.bodies("test://one/x")) == 13


def test_a_pace_slower_than_one_in_a_second_is_kept(service: Service, sink: Obedient) -> None:
    subscribe(service, options={"_max_deliveries_per_second": 0.1, "_max_deliveries_at_once": 10})
    service.post_bodies(1, 2, 3)
    service.deliver()
    service.pass_s(9)
    service.deliver()
    assert len(sink.given) == 1
    service.pass_s(1.1)
    service.deliver()
    assert len(sink.given) == 2


def test_only_so_many_paces_are_remembered(service: Service, sink: Obedient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PACES_REMEMBERED_MAX", 2)
    for number in range(5):
        subscribe(service, f"test://{number}", options={"_max_deliveries_per_second": 1})
    service.post_bodies(1)
    service.deliver()
    assert len(sink.given) == 5
    assert len(service.app.deliveries._paces._buckets) == 2


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("_max_deliveries_per_second", 0),
        ("_max_deliveries_per_second", "1"),
        ("_max_deliveries_per_second", True),
        ("_max_deliveries_per_second", 1_001),
        ("_max_deliveries_at_once", 0),
        ("_max_deliveries_at_once", 1.5),
        ("_max_deliveries_at_once", True),
        ("_max_deliveries_at_once", limits.DELIVERIES_AT_ONCE + 1),
    ],
)
def test_a_pace_that_cannot_be_kept_is_refused(service: Service, option: str, value: Any) -> None:
    document = {"subscriber": "test://one/x", "options": {option: value}}
    refused(service.post("/v2/queues/q/subscriptions", json=document), 400, option)

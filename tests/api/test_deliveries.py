"""What becomes of deliveries: retried on schedule, never lost, given up where somebody finds them.

The sink does as it is told. Real receivers are in the tests of the sinks.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.service.retries import DEFAULT_SCHEDULE_S
from sukkal.sink import Delivery, Outcome
from tests.api.calling import Service, refused

GOOD: Final = Outcome(delivered=True, status=200)
BAD: Final = Outcome(delivered=False, status=500, error="The receiver answered 500.")
BASE: Final = "/v2/queues/q/subscriptions"
QUICK: Final = 990


class Obedient:
    """A sink that answers as it is told, by subscriber, and remembers what it was given."""

    schemes = ("test",)

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.given: list[Delivery] = []
        self.hanging: dict[str, asyncio.Event] = {}

    def check(self, subscriber: str, options: Mapping[str, Any]) -> None:
        if subscriber.endswith("wrong"):
            raise InvalidRequest("The subscriber is wrong.")

    async def attempt(self, delivery: Delivery) -> Outcome:
        self.given.append(delivery)
        if event := self.hanging.get(delivery.subscriber):
            await event.wait()
        return self.outcomes.get(delivery.subscriber, GOOD)

    async def close(self) -> None:
        pass

    def bodies(self, subscriber: str | None = None) -> list[str]:
        return [each.body.decode() for each in self.given if subscriber in (None, each.subscriber)]


@pytest.fixture
def sink() -> Obedient:
    return Obedient()


@pytest.fixture(params=["memory", "sqlite"])
def start(request: pytest.FixtureRequest, tmp_path: Path, sink: Obedient) -> Iterator[Callable[..., Service]]:
    started: list[Service] = []

    def start_service(**settings: Any) -> Service:
        store = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/data"
        if started:
            started[-1].close()
        started.append(Service(store, sink=sink, first_id=1 + 10_000 * len(started), **settings))
        return started[-1]

    yield start_service
    if started:
        started[-1].close()


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    return start()


def subscribe(service: Service, subscriber: str = "test://one/x", queue: str = "q", **more: Any) -> str:
    document = {"subscriber": subscriber, "ttl": 10**9, **more}
    response = service.post(f"/v2/queues/{queue}/subscriptions", json=document)
    assert response.status_code == 201, response.text
    return str(response.json()["subscription_id"])


def ledger(service: Service, id_: str) -> list[dict[str, Any]]:
    return list(service.get(f"{BASE}/{id_}/deliveries").json()["deliveries"])


def test_what_is_posted_is_delivered_to_every_subscriber_in_order(service: Service, sink: Obedient) -> None:
    service.post_bodies("before")
    subscribe(service)
    subscribe(service, "test://two")
    subscribe(service, queue="other")
    ids = service.post_bodies({"a": 1}, 2, ttl=300)
    service.deliver()
    for subscriber in ("test://one/x", "test://two"):
        assert sink.bodies(subscriber) == ['{"a":1}', "2"]
    first = sink.given[0]
    assert (first.id, first.attempt, first.ttl_s, first.queue_name, first.project) == (ids[0], 1, 300, "q", "p")
    service.deliver()
    assert len(sink.given) == 4
    assert service.bodies() == ["before", {"a": 1}, 2]
    assert service.get("/v2/usage").json()["usage"]["messages"] == 3


def test_backlogs_are_nobodys_to_see(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service)
    service.post_bodies(1)
    assert [each["name"] for each in service.get("/v2/queues?with_count=true").json()["queues"]] == ["q"]
    assert service.get(f"/v2/queues/{id_}/messages?echo=true").json()["messages"] == []


def test_an_attempt_that_failed_is_repeated_on_schedule(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service, options={"_retry_schedule": [10, 100]})
    sink.outcomes["test://one/x"] = BAD
    (message_id,) = service.post_bodies("x", ttl=60)
    service.deliver()
    (entry,) = ledger(service, id_)
    assert (entry["state"], entry["attempts"], entry["status"]) == ("retrying", 1, 500)
    assert entry["error"] == "The receiver answered 500."
    service.pass_s(9)
    service.deliver()
    assert len(sink.given) == 1
    service.pass_s(2)
    service.deliver()
    assert [each.attempt for each in sink.given] == [1, 2]
    sink.outcomes.clear()
    service.pass_s(111)
    service.deliver()
    assert [(each.id, each.attempt, each.ttl_s) for each in sink.given[2:]] == [(message_id, 3, 60)]
    (entry,) = ledger(service, id_)
    assert (entry["state"], entry["attempts"], entry["status"]) == ("delivered", 3, 200)


def test_the_usual_schedule_lasts_three_days(service: Service, sink: Obedient) -> None:
    subscribe(service)
    sink.outcomes["test://one/x"] = BAD
    service.post_bodies("x", ttl=60)
    for pause_s in (0, *DEFAULT_SCHEDULE_S):
        service.pass_s(pause_s * 1.1 + limits.BREAKER_PAUSE_S_MAX)
        service.sweep()
        service.deliver()
    assert [each.attempt for each in sink.given] == list(range(1, 11))
    service.pass_s(10**7)
    service.deliver()
    assert len(sink.given) == 10


def test_a_receiver_that_asks_for_time_gets_it(service: Service, sink: Obedient) -> None:
    subscribe(service, options={"_retry_schedule": [1, 1]})
    sink.outcomes["test://one/x"] = Outcome(delivered=False, status=429, retry_after_s=500)
    service.post_bodies("x")
    service.deliver()
    service.pass_s(499)
    service.deliver()
    assert len(sink.given) == 1
    service.pass_s(52)
    service.deliver()
    assert len(sink.given) == 2


def test_what_is_given_up_is_set_aside_and_can_be_redriven(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service, options={"_retry_schedule": []})
    sink.outcomes["test://one/x"] = BAD
    ids = service.post_bodies("a", "b", "c")
    service.deliver()
    assert [(entry["id"], entry["state"], entry["attempts"]) for entry in ledger(service, id_)] == [
        (each, "dead", 1) for each in ids
    ]
    service.pass_s(10**6)
    service.sweep()
    service.deliver()
    assert len(sink.given) == 3
    sink.outcomes.clear()
    assert service.post(f"{BASE}/{id_}/redrive", json={"ids": [ids[1]]}).json() == {"redriven": 1}
    service.deliver()
    assert sink.bodies()[3:] == ['"b"']
    assert service.post(f"{BASE}/{id_}/redrive").json() == {"redriven": 2}
    service.deliver()
    assert sink.bodies()[4:] == ['"a"', '"c"']
    assert {entry["state"] for entry in ledger(service, id_)} == {"delivered"}
    refused(service.post(f"{BASE}/none/redrive"), 404)
    refused(service.post(f"{BASE}/{id_}/redrive", json={"ids": "x"}), 400, "list")


def test_one_of_many_that_were_given_up_is_found_wherever_it_lies(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service, options={"_retry_schedule": []})
    sink.outcomes["test://one/x"] = BAD
    many = limits.BURY_MESSAGES_MAX + 2
    ids = [each for first in range(0, many, 17) for each in service.post_bodies(*range(first, min(first + 17, many)))]
    service.deliver()
    while len(sink.given) < many:
        service.pass_s(1_000)
        service.deliver()
    sink.outcomes.clear()
    service.pass_s(1_000)
    assert service.post(f"{BASE}/{id_}/redrive", json={"ids": [ids[-1], "none"]}).json() == {"redriven": 1}
    service.deliver()
    assert [each.id for each in sink.given[many:]] == [ids[-1]]
    assert service.post(f"{BASE}/{id_}/redrive").json() == {"redriven": many - 1}


def test_what_is_given_up_goes_to_the_dead_letter_queue_if_there_is_one(service: Service, sink: Obedient) -> None:
    service.put("/v2/queues/q", json={"_dead_letter_queue": "dead"})
    id_ = subscribe(service, options={"_retry_schedule": []})
    own = subscribe(service, "test://two", options={"_retry_schedule": [], "_dead_letter_queue": "mine"})
    sink.outcomes |= {"test://one/x": BAD, "test://two": BAD}
    (message_id,) = service.post_bodies("x")
    service.deliver()
    for queue, subscription in (("dead", id_), ("mine", own)):
        (letter,) = service.get(f"/v2/queues/{queue}/messages?detailed=true&echo=true").json()["messages"]
        assert (letter["id"], letter["body"]) == (message_id, "x")
        assert letter["dead_letter"]["subscription"] == subscription
        assert letter["dead_letter"]["status"] == 500
        assert letter["dead_letter"]["queue"] == "q"
        assert ledger(service, subscription) == []


def test_a_receiver_that_is_gone_is_left_alone(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service)
    sink.outcomes["test://one/x"] = Outcome(delivered=False, status=410, gone=True)
    service.post_bodies("a", "b")
    service.deliver()
    service.deliver()
    assert len(sink.given) == 1
    assert "gone" in service.get(f"{BASE}/{id_}").json()["options"]["_disabled"]
    service.post_bodies("c")
    service.deliver()
    assert {entry["state"] for entry in ledger(service, id_)} == {"dead"}
    sink.outcomes.clear()
    assert subscribe(service) == id_
    service.post_bodies("d")
    service.deliver()
    assert sink.bodies()[1:] == ['"d"']
    assert service.post(f"{BASE}/{id_}/redrive").json() == {"redriven": 2}
    service.deliver()
    assert sorted(sink.bodies()[2:]) == ['"a"', '"b"']


def test_an_endpoint_that_fails_again_and_again_is_left_alone_for_a_while(service: Service, sink: Obedient) -> None:
    subscribe(service, options={"_retry_schedule": [1] * 50})
    other = subscribe(service, "test://one/y", options={"_retry_schedule": [1] * 50})
    subscribe(service, "test://two")
    sink.outcomes |= {"test://one/x": BAD, "test://one/y": BAD}
    service.post_bodies(*range(20))
    service.deliver()
    failed = len(sink.bodies("test://one/x")) + len(sink.bodies("test://one/y"))
    assert failed < 2 * limits.BREAKER_FAILURES
    assert len(sink.bodies("test://two")) == 20
    until_ms = service.get(f"{BASE}/{other}/deliveries").json()["paused_until_ms"]
    assert until_ms == service.clock() + limits.BREAKER_PAUSE_S * limits.SECOND_MS
    service.pass_s(5)
    service.deliver()
    assert len(sink.bodies("test://one/x")) + len(sink.bodies("test://one/y")) == failed
    sink.outcomes.clear()
    service.pass_s(limits.BREAKER_PAUSE_S)
    for _ in range(3):
        service.deliver()
        service.pass_s(2)
    delivered = [entry for entry in ledger(service, other) if entry["state"] == "delivered"]
    assert len(delivered) == 20
    assert "paused_until_ms" not in service.get(f"{BASE}/{other}/deliveries").json()


def test_a_message_that_no_attempt_can_deliver_is_given_up_at_once(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service)
    sink.outcomes["test://one/x"] = Outcome(delivered=False, status=550, error="No such user.", permanent=True)
    service.post_bodies("x")
    service.deliver()
    (entry,) = ledger(service, id_)
    assert (entry["state"], entry["error"]) == ("dead", "No such user.")


def test_a_slow_subscriber_delays_only_itself(service: Service, sink: Obedient) -> None:
    release = asyncio.Event()
    for number in range(10):
        sink.hanging[f"test://slow{number}"] = release
        subscribe(service, f"test://slow{number}")
    for number in range(QUICK):
        subscribe(service, f"test://quick{number}")
    service.post_bodies("x")

    async def until_the_quick_are_served() -> None:
        await service.app.deliveries.round()
        while sum(each.subscriber.startswith("test://quick") for each in sink.given) < QUICK:
            await asyncio.sleep(0)
            await service.app.deliveries.round()
        release.set()
        await service.app.deliveries.settled()

    service.run(asyncio.wait_for(until_the_quick_are_served(), 60))
    assert len(sink.given) == QUICK + 10


def test_deliveries_survive_the_process(start: Callable[..., Service], sink: Obedient, tmp_path: Path) -> None:
    service = start()
    if not (tmp_path / "data").exists():
        return  # What is in memory is meant to be forgotten.
    id_ = subscribe(service, options={"_retry_schedule": [5]})
    sink.outcomes["test://one/x"] = BAD
    service.post_bodies("x")
    service.deliver()
    sink.outcomes.clear()
    again = start()
    again.pass_s(10)
    again.deliver()
    assert [each.attempt for each in sink.given] == [1, 2]
    assert again.get(f"{BASE}/{id_}").status_code == 200


def test_a_test_shows_what_the_subscriber_answers(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service)
    answer = service.post(f"{BASE}/{id_}/test").json()
    assert (answer["delivered"], answer["status"]) == (True, 200)
    sink.outcomes["test://one/x"] = BAD
    answer = service.post(f"{BASE}/{id_}/test").json()
    assert (answer["delivered"], answer["error"]) == (False, "The receiver answered 500.")
    assert ledger(service, id_) == []
    assert b"test" in sink.given[0].body


def test_deleting_a_subscription_ends_its_deliveries(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service, options={"_retry_schedule": [10] * 5})
    sink.outcomes["test://one/x"] = BAD
    service.post_bodies("x")
    service.deliver()
    service.delete(f"{BASE}/{id_}")
    service.pass_s(100)
    service.deliver()
    assert len(sink.given) == 1
    service.sweep()
    assert service.app.services.settings is not None


def test_encrypted_queues_are_delivered_in_the_clear(start: Callable[..., Service], sink: Obedient) -> None:
    service = start(encryption_keys="k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    service.put("/v2/queues/q", json={"_enable_encrypt_messages": True})
    subscribe(service)
    service.post_bodies({"secret": 1})
    service.deliver()
    assert sink.bodies() == ['{"secret":1}']


def test_where_confirmation_is_asked_for_a_subscriber_confirms_by_what_it_was_sent(
    start: Callable[..., Service], sink: Obedient
) -> None:
    service = start(require_confirmation=True, signed_url_keys="a key to sign URLs with")
    id_ = subscribe(service)
    service.post_bodies("a")
    service.deliver()
    (asked,) = sink.given
    assert asked.notice
    document = json.loads(asked.body)
    assert document["Message_Type"] == "SubscriptionConfirmation"
    assert document["Message"] == "You have chosen to subscribe to the queue: q"
    assert document["URL-Paths"] == f"{BASE}/{id_}/confirm"
    names = ("URL-Signature", "URL-Methods", "URL-Paths", "URL-Expires", "X-Project-ID")
    headers = {name: document[name] for name in names}
    for wanted, text in ((True, None), (False, "unsubscribed"), (True, None)):
        body = document["SubscribeBody" if wanted else "UnsubscribeBody"]
        response = service.put(document["URL-Paths"], json=body, headers=headers, project=None)
        assert response.status_code == 204
        service.deliver()
        assert service.get(f"{BASE}/{id_}").json()["confirmed"] is wanted
        if text:
            told = json.loads(sink.given[-1].body)
            assert (told["Message_Type"], text in told["Message"]) == ("UnsubscribeConfirmation", True)
    service.post_bodies("b")
    service.deliver()
    assert sink.bodies()[-1] == '"b"'
    assert service.delete(f"{BASE}/{id_}", headers=headers, project=None).status_code == 404

"""What `/metrics` tells of messages, the store and deliveries."""

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any, Final

import pytest

from sukkal.sink import Outcome
from tests.api.calling import Service
from tests.api.test_deliveries import BAD, Obedient, sink, start, subscribe

__all__ = ["sink", "start"]

_TURNS_MAX: Final = 1_000


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    return start()


def numbers(service: Service, name: str) -> dict[str, float]:
    """Return the numbers of a metric by the values of its labels."""
    found = re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", service.get("/metrics").text, re.MULTILINE)
    return {" ".join(re.findall(r'"([^"]*)"', labels)): float(number) for labels, number in found}


def test_messages_are_counted_when_they_are_posted_and_when_they_are_claimed(service: Service) -> None:
    service.post_bodies(1, 2, 3)
    service.claim("?limit=2")
    assert numbers(service, "sukkal_messages_posted_total") == {"": 3}
    assert numbers(service, "sukkal_messages_claimed_total") == {"": 2}


def test_copies_for_subscribers_are_not_counted_as_messages(service: Service) -> None:
    subscribe(service)
    service.post_bodies(1)
    assert numbers(service, "sukkal_messages_posted_total") == {"": 1}


def test_attempts_are_counted_by_their_outcome(service: Service, sink: Obedient) -> None:
    outcomes = {
        "failed": BAD,
        "refused": Outcome(delivered=False, permanent=True, status=400),
        "gone": Outcome(delivered=False, gone=True, status=410),
        "unattempted": Outcome(delivered=False, attempted=False),
        "delivered": Outcome(delivered=True),
    }
    for name, outcome in outcomes.items():
        sink.outcomes[f"test://{name}"] = outcome
        subscribe(service, f"test://{name}")
    service.post_bodies(1)
    service.deliver()
    assert numbers(service, "sukkal_delivery_attempts_total") == {f"test {name}": 1 for name in outcomes}
    assert numbers(service, "sukkal_delivery_attempt_seconds_count") == {"test": 4}
    assert numbers(service, "sukkal_delivery_delay_seconds_count") == {"test": 1}


def test_the_delay_of_a_delivery_begins_with_the_post(service: Service, sink: Obedient) -> None:
    sink.outcomes["test://one/x"] = BAD
    subscribe(service)
    service.post_bodies(1)
    service.deliver()
    service.pass_s(100)
    sink.outcomes.clear()
    service.deliver()
    assert numbers(service, "sukkal_delivery_delay_seconds_sum") == {"test": 100}


def test_what_is_given_up_is_counted_by_the_reason(service: Service, sink: Obedient) -> None:
    sink.outcomes["test://one/x"] = Outcome(delivered=False, permanent=True, status=400)
    subscribe(service)
    service.post_bodies(1)
    service.deliver()
    service.put("/v2/queues/tired", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    service.post_bodies(1, queue="tired")
    service.claim(queue="tired", ttl=60)
    service.pass_s(61)
    service.claim(queue="tired")
    counts = {"attempts": 0, "gone": 0, "permanent": 1, "disabled": 0, "claims": 1}
    assert numbers(service, "sukkal_dead_letters_total") == counts


def test_an_endpoint_that_is_left_alone_is_counted_until_it_is_tried_again(service: Service, sink: Obedient) -> None:
    sink.outcomes["test://one/x"] = BAD
    subscribe(service, options={"_retry_policy": {"retries_with_no_delay": 9}})
    service.post_bodies(*range(5))
    service.deliver()
    assert numbers(service, "sukkal_breakers_open") == {"": 1}
    service.pass_s(1_000)
    assert numbers(service, "sukkal_breakers_open") == {"": 0}


def test_commits_and_the_calls_in_them_are_counted(service: Service) -> None:
    before = numbers(service, "sukkal_store_committed_calls_total")[""]
    service.post_bodies(1)
    service.post_bodies(2)
    in_memory = service.app.services.settings.store == "memory://"
    assert numbers(service, "sukkal_store_committed_calls_total")[""] - before == (0 if in_memory else 2)
    assert numbers(service, "sukkal_store_commit_seconds_count")[""] >= (0 if in_memory else 2)


def test_sweeping_counts_what_it_removes(service: Service) -> None:
    service.post_bodies(1, 2, ttl=60)
    service.pass_s(10_000)
    service.sweep()
    assert numbers(service, "sukkal_sweeps_total") == {"": 1}
    assert numbers(service, "sukkal_swept_rows_total")[""] >= 2


def test_lines_of_the_log_that_tell_of_trouble_are_counted(service: Service) -> None:
    logging.getLogger("sukkal.tests").warning("a warning")
    logging.getLogger("sukkal.tests").error("an error")
    logging.getLogger("sukkal.tests").info("nothing special")
    assert numbers(service, "sukkal_log_lines_total") == {"warning": 1, "error": 1}


def test_who_waits_is_counted_while_it_waits(service: Service) -> None:
    async def scene() -> Any:
        asked = asyncio.ensure_future(service.request("POST", "/v2/queues/q/claims?wait=20", json={}))
        for _ in range(_TURNS_MAX):
            await asyncio.sleep(0)
            if "sukkal_waiting 1.0" in (await service.request("GET", "/metrics")).text:
                break
        else:
            pytest.fail("nobody was seen waiting")
        await service.request("POST", "/v2/queues/q/messages", json={"messages": [{"body": 1}]})
        return await asked

    assert service.run(scene()).status_code == 201
    assert numbers(service, "sukkal_waiting") == {"": 0}

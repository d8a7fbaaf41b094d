"""Queues as subscribers: what posting says becomes an outcome."""

import asyncio

import pytest

from sukkal.errors import Forbidden, IdempotencyConflict, InvalidRequest, QuotaExceeded, StoreUnavailable
from sukkal.sink import Delivery, Outcome
from sukkal.sinks.queue import QueueSink

DELIVERY = Delivery(
    id="m",
    attempt=1,
    body=b"{}",
    ttl_s=60,
    posted_ms=0,
    project="p",
    queue_name="q",
    subscription_id="s",
    subscriber="queue:other",
    options={},
    now_ms=0,
    timeout_s=0.1,
)


def outcome_of(failure: Exception | None) -> Outcome:
    async def forward(delivery: Delivery) -> None:
        if failure is not None:
            raise failure

    return asyncio.run(QueueSink(forward, lambda subscriber: None).attempt(DELIVERY))


def test_what_is_stored_is_delivered() -> None:
    assert outcome_of(None) == Outcome(delivered=True, status=201)


@pytest.mark.parametrize("failure", [InvalidRequest("Too large."), Forbidden("Not permitted.")])
def test_what_can_never_be_posted_fails_for_good_and_says_why(failure: Exception) -> None:
    outcome = outcome_of(failure)
    assert (outcome.delivered, outcome.permanent, outcome.error) == (False, True, str(failure))


@pytest.mark.parametrize("failure", [StoreUnavailable("disk 7"), IdempotencyConflict("key x")])
def test_what_the_service_could_not_do_is_tried_again_without_details(failure: Exception) -> None:
    outcome = outcome_of(failure)
    assert (outcome.delivered, outcome.permanent) == (False, False)
    assert str(failure) not in outcome.error


def test_a_limit_says_when_to_come_back() -> None:
    outcome = outcome_of(QuotaExceeded("b may keep 5", retry_after_s=7))
    assert (outcome.delivered, outcome.permanent, outcome.retry_after_s) == (False, False, 7)
    assert "5" not in outcome.error


def test_a_post_that_takes_too_long_is_a_failure() -> None:
    async def forward(delivery: Delivery) -> None:
        await asyncio.Event().wait()

    outcome = asyncio.run(QueueSink(forward, lambda subscriber: None).attempt(DELIVERY))
    assert (outcome.delivered, outcome.permanent) == (False, False)
    assert "in time" in outcome.error

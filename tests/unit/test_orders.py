"""Who orders a subscription, and what is arranged for it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from sukkal.model import QueueKey, Subscription
from sukkal.service.access import Caller, Identity
from sukkal.service.orders import GRANTED, Arranged, Arrangements

SUBSCRIPTION = Subscription(
    id="s",
    queue=QueueKey("p", "q"),
    subscriber="plain:x",
    ttl_s=60,
    options={"a": 1},
    confirmed=False,
    created_ms=0,
    expires_ms=60_000,
)
ORDERER = Caller(Identity(method="keystone", project="p"), "client", "hidden-token")


class Counting:
    """Arranges a number, another one each time unless it is given back."""

    def __init__(self) -> None:
        self.given: list[Mapping[str, Any] | None] = []
        self.ended: list[Mapping[str, Any]] = []
        self.keep = False

    async def begin(self, wanted: Subscription, present: Mapping[str, Any] | None, orderer: Caller | None) -> Arranged:
        self.given.append(present)
        number = present["number"] if present and self.keep else len(self.given)
        return Arranged({"number": number}, wanted.options)

    async def end(self, granted: Mapping[str, Any]) -> None:
        self.ended.append(granted)


def with_subscriber(subscriber: str, options: dict[str, Any]) -> Subscription:
    return replace(SUBSCRIPTION, subscriber=subscriber, options=options)


def test_a_caller_shows_no_token() -> None:
    assert "hidden" not in repr(ORDERER)
    assert "hidden" not in str(ORDERER.__rich_repr__())


def test_nothing_is_arranged_for_a_subscriber_that_needs_nothing() -> None:
    arrangements = Arrangements({"special": Counting()})
    assert asyncio.run(arrangements.begin(SUBSCRIPTION, None, ORDERER)) == (SUBSCRIPTION, False)
    asyncio.run(arrangements.end(SUBSCRIPTION))


def test_what_is_arranged_is_kept_with_the_subscription_and_shown_to_the_next_one_that_arranges() -> None:
    counting = Counting()
    arrangements = Arrangements({"special": counting})
    wanted = with_subscriber("Special:x", {"a": 1})
    arranged, new = asyncio.run(arrangements.begin(wanted, None, ORDERER))
    assert (arranged.options, new) == ({"a": 1, GRANTED: {"number": 1}}, True)
    counting.keep = True
    assert asyncio.run(arrangements.begin(wanted, arranged, ORDERER)) == (arranged, False)
    assert counting.given == [None, {"number": 1}]
    asyncio.run(arrangements.end(arranged))
    assert counting.ended == [{"number": 1}]


def test_what_was_arranged_for_another_kind_of_subscriber_is_not_shown_and_not_kept() -> None:
    special, other = Counting(), Counting()
    arrangements = Arrangements({"special": special, "other": other})
    present = with_subscriber("special:x", {GRANTED: {"number": 7}})
    arranged, new = asyncio.run(arrangements.begin(with_subscriber("other:x", dict(present.options)), present, ORDERER))
    assert (arranged.options, new) == ({GRANTED: {"number": 1}}, True)
    assert other.given == [None]
    plain, new = asyncio.run(arrangements.begin(with_subscriber("plain:x", dict(present.options)), present, ORDERER))
    assert (plain.options, new) == ({}, False)

"""How the outcomes of deliveries are kept: together, soon, and none but those of the claim that still holds."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final

import pytest

from sukkal.engines.memory import MemoryEngine
from sukkal.errors import StoreUnavailable
from sukkal.model import Ack, NewClaim, NewMessage, Position, Post, QueueKey, Release, Settled, View
from sukkal.service.settling import Settling
from sukkal.testing.clock import FakeClock

KEY: Final = QueueKey("p", "q")
PATIENCE_S: Final = 30


class Watched(MemoryEngine):
    """An engine that remembers what was settled in each call, and waits before it does until it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.settled: list[list[str]] = []
        self.failures = 0
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def settle(
        self, key: QueueKey, claim_id: str, settlements: Mapping[str, Any], **more: Any
    ) -> Mapping[str, Settled]:
        """Settle, and remember it."""
        self.settled.append([*settlements])
        self.begun.set()
        await self.go_on.wait()
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("The disk is away.")
        return await super().settle(key, claim_id, settlements, **more)


class Kept:
    """A claim on five messages, and the settling of it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.engine = Watched()
        self.settling = Settling(self.engine, KEY, "c", self.clock)

    async def claim(self) -> None:
        messages = tuple(NewMessage(id=str(number), body=b"1", ttl_s=600) for number in range(5))
        await self.engine.publish([Post(KEY, messages)], now_ms=self.clock())
        await self.engine.claim(KEY, NewClaim(id="c", ttl_s=60, grace_s=60), limit=5, now_ms=self.clock())

    async def there(self, *, claimed: bool) -> str:
        """Return the ids of those that are there, claimed or only those that are not."""
        view, start = View(claimed=claimed, delayed=claimed), None if claimed else Position(0, 0)
        page = await self.engine.browse(KEY, after=start, limit=9, view=view, now_ms=self.clock())
        return "".join(message.id for message in page.messages)


def run(steps: Coroutine[Any, Any, None]) -> None:
    async def patiently() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await steps

    asyncio.run(patiently())


def test_outcomes_are_kept_together_and_the_rest_is_given_back() -> None:
    async def steps() -> None:
        kept = Kept()
        await kept.claim()
        kept.settling.add("0", Ack())
        kept.settling.add("1", Release(delay_s=100))
        kept.settling.add("2", Ack())
        await kept.settling.end()
        assert kept.engine.settled == [["0", "1", "2"]]
        assert await kept.there(claimed=False) == "34"
        assert await kept.there(claimed=True) == "134"
        assert await kept.engine.get_claim(KEY, "c", now_ms=kept.clock()) is None

    run(steps())


def test_an_outcome_is_kept_though_the_next_attempt_takes_long() -> None:
    async def steps() -> None:
        kept = Kept()
        await kept.claim()
        kept.settling.add("0", Ack())
        kept.settling.add("1", Ack())
        # Nothing ends the claim here: the attempt that is under way lasts.
        await kept.engine.begun.wait()
        assert kept.engine.settled == [["0", "1"]]
        assert await kept.there(claimed=True) == "234"
        assert await kept.there(claimed=False) == ""

    run(steps())


@pytest.mark.parametrize("late", [(), ("1",), ("1", "2")])
def test_what_ends_while_others_are_being_kept_is_kept_after_them(late: Sequence[str]) -> None:
    async def steps() -> None:
        kept = Kept()
        await kept.claim()
        kept.engine.go_on.clear()
        kept.settling.add("0", Ack())
        await kept.engine.begun.wait()
        for id_ in late:
            kept.settling.add(id_, Ack())
        ending = asyncio.ensure_future(kept.settling.end())
        await asyncio.sleep(0)
        assert not ending.done()
        kept.engine.go_on.set()
        await ending
        assert [id_ for ids in kept.engine.settled for id_ in ids] == ["0", *late]
        assert await kept.there(claimed=False) == "01234".replace("0", "")[len(late) :]

    run(steps())


def test_outcomes_that_the_store_did_not_take_are_kept_with_the_next_ones() -> None:
    async def steps() -> None:
        kept = Kept()
        await kept.claim()
        kept.engine.failures = 1
        kept.settling.add("0", Ack())
        await kept.engine.begun.wait()
        kept.settling.add("1", Ack())
        await kept.settling.end()
        assert kept.engine.settled == [["0"], ["0", "1"]]
        assert await kept.there(claimed=False) == "234"

    run(steps())


def test_an_end_that_the_store_did_not_take_can_be_tried_again() -> None:
    async def steps() -> None:
        kept = Kept()
        await kept.claim()
        kept.engine.failures = 1
        kept.settling.add("0", Ack())
        with pytest.raises(StoreUnavailable):
            await kept.settling.end()
        await kept.settling.end()
        assert await kept.there(claimed=False) == "1234"

    run(steps())


def test_the_outcomes_of_a_claim_that_has_ended_are_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    async def steps() -> None:
        kept = Kept()
        await kept.claim()
        kept.settling.add("0", Ack())
        kept.clock.advance(60_000)
        await kept.settling.end()
        assert kept.settling.lost
        assert await kept.there(claimed=False) == "01234"

    run(steps())
    assert "may be repeated: 0" in caplog.text

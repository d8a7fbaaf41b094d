"""An engine under test, with a clock that stands still, ids that count, and calls that need no ``await``."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sukkal.model import Message, NewClaim, NewMessage, Position, Post, QueueKey, Release, Settlement, View
from sukkal.store import Engine
from sukkal.testing.clock import FakeClock
from sukkal.testing.ids import counting_ids

__all__ = ["QUEUE", "Subject"]

T = TypeVar("T")

QUEUE = QueueKey("project", "queue")


class Subject:
    """What the examples of the contract act on. Times are seconds where the contract has seconds."""

    def __init__(self, make_engine: Callable[[], Engine]) -> None:
        self._runner = asyncio.Runner()
        self._make_engine = make_engine
        self.clock = FakeClock()
        self.new_id = counting_ids()
        self.engine = make_engine()
        self.run(self.engine.start())

    def run(self, call: Awaitable[T]) -> T:
        """Make a call and return its result."""

        async def awaited() -> T:
            return await call

        return self._runner.run(awaited())

    def together(self, *calls: Awaitable[Any]) -> list[Any]:
        """Make calls at the same time and return their results."""

        async def gathered() -> list[Any]:
            return list(await asyncio.gather(*calls))

        return self._runner.run(gathered())

    def reopen(self) -> None:
        """Close the engine and open its data with a new one."""
        self.run(self.engine.close())
        self.engine = self._make_engine()
        self.run(self.engine.start())

    def close(self) -> None:
        """End the engine."""
        self.run(self.engine.close())
        self._runner.close()

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(round(seconds * 1_000))

    # -- calls of the contract with what is usual filled in

    def post(
        self, count: int = 1, *, key: QueueKey = QUEUE, ttl_s: int = 300, delay_s: int = 0, client: str = "me"
    ) -> list[str]:
        """Post messages and return their ids."""
        messages = tuple(
            NewMessage(id=self.new_id(), body=b'{"n": %d}' % number, ttl_s=ttl_s, delay_s=delay_s, client=client)
            for number in range(count)
        )
        self.run(self.engine.publish((Post(key, messages),), now_ms=self.clock()))
        return [message.id for message in messages]

    def claim(
        self, limit: int = 10, *, key: QueueKey = QUEUE, ttl_s: int = 60, grace_s: int = 60, **more: Any
    ) -> tuple[str, list[str]]:
        """Claim messages and return the claim's id and theirs."""
        claim_id, messages = self.claim_messages(limit, key=key, ttl_s=ttl_s, grace_s=grace_s, **more)
        return claim_id, [message.id for message in messages]

    def claim_messages(
        self, limit: int = 10, *, key: QueueKey = QUEUE, ttl_s: int = 60, grace_s: int = 60, **more: Any
    ) -> tuple[str, tuple[Message, ...]]:
        """Claim messages and return the claim's id and the messages."""
        new = NewClaim(id=self.new_id(), ttl_s=ttl_s, grace_s=grace_s)
        return new.id, self.run(self.engine.claim(key, new, limit=limit, now_ms=self.clock(), **more))

    def settle(self, claim_id: str, settlements: dict[str, Settlement], *, key: QueueKey = QUEUE) -> list[str]:
        """Settle messages and return what became of them."""
        outcome = self.run(self.engine.settle(key, claim_id, settlements, now_ms=self.clock()))
        return [outcome[id_].value for id_ in settlements]

    def release(self, claim_id: str, *, key: QueueKey = QUEUE, **more: Any) -> None:
        """End a claim and free what it holds."""
        self.run(self.engine.settle(key, claim_id, {}, now_ms=self.clock(), rest=Release(**more)))

    def browse(self, *, key: QueueKey = QUEUE, page: int = 7, **view: Any) -> list[str]:
        """Walk a view to its end and return the ids."""
        found: list[str] = []
        after: Position | None = None
        while True:
            part = self.run(self.engine.browse(key, after=after, limit=page, view=View(**view), now_ms=self.clock()))
            assert len(part.messages) <= page
            found += [message.id for message in part.messages]
            if part.next is None:
                return found
            assert after is None or part.next > after, "a page must end behind the one before"
            after = part.next

    def all(self, *, key: QueueKey = QUEUE) -> list[str]:
        """Return the ids of all live messages in the order of posting."""
        return self.browse(key=key, claimed=True, delayed=True)

    def message(self, id_: str, *, key: QueueKey = QUEUE) -> Message | None:
        """Return a message, or ``None``."""
        found = self.run(self.engine.get_messages(key, (id_,), now_ms=self.clock()))
        return found[0] if found else None

    def sweep(self) -> int:
        """Sweep to the end and return how much was removed."""
        removed = 0
        while True:
            swept = self.run(self.engine.sweep(now_ms=self.clock(), limit=100))
            removed += swept.removed
            if not swept.more:
                return removed

"""The contract of sources as a test suite: a class per source that says how to make one, and how to feed it.

::

    class TestPigeons(SourceContract):
        def make_source(self) -> Source:
            return PigeonSource()

        async def feed(self, bodies: Sequence[bytes]) -> None:
            ...
"""

import asyncio
import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final

from sukkal.source import Arrival, Source

__all__ = ["SourceContract"]

LONG_S: Final = 30.0


class SourceContract(ABC):
    """Laws of ``sukkal.source``. ``window`` is that of the sources that are made; it is less than 10."""

    window: ClassVar[int] = 5

    @abstractmethod
    def make_source(self) -> Source:
        """Return a new source for the same consumer as before. Nobody else consumes what it does."""

    @abstractmethod
    async def feed(self, bodies: Sequence[bytes]) -> None:
        """Send notifications, JSON texts, to where the source takes them from."""

    def test_what_is_sent_is_brought_in_its_order(self) -> None:
        async def steps() -> None:
            async with self._receiving() as came:
                await self.feed(_texts(3))
                assert [_number(await came()) for _ in range(3)] == [0, 1, 2]

        _run(steps())

    def test_what_is_not_acknowledged_comes_again_and_the_rest_does_not(self) -> None:
        async def steps() -> None:
            async with self._receiving() as came:
                await self.feed(_texts(3))
                arrivals = [await came() for _ in range(3)]
                await came.source.acknowledge([arrivals[0], arrivals[2]])
            async with self._receiving() as came:
                await self.feed(_texts(1, first=7))
                assert sorted([_number(await came()), _number(await came())]) == [1, 7]

        _run(steps())

    def test_no_more_is_brought_than_the_window_while_nothing_is_acknowledged(self) -> None:
        async def steps() -> None:
            async with self._receiving() as came:
                await self.feed(_texts(10))
                assert came.source.window == self.window
                held = [await came() for _ in range(self.window)]
                late = asyncio.ensure_future(came())
                while await came.source.waiting() != 10 - self.window:  # noqa: ASYNC110 - the other side sets no event
                    await asyncio.sleep(0)
                assert not late.done()
                await came.source.acknowledge(held)
                assert _number(await late) == self.window

        _run(steps())

    def test_what_another_source_brought_is_not_acknowledged_by_this_one(self) -> None:
        async def steps() -> None:
            async with self._receiving() as came:
                await self.feed(_texts(1))
                old = await came()
            async with self._receiving() as came:
                await came()
                await came.source.acknowledge([old])
            async with self._receiving() as came:
                assert _number(await came()) == 0

        _run(steps())

    def test_before_it_receives_it_knows_of_nothing_that_waits_and_can_be_closed(self) -> None:
        async def steps() -> None:
            source = self.make_source()
            assert await source.waiting() is None
            await source.close()
            await source.close()

        _run(steps())

    @asynccontextmanager
    async def _receiving(self) -> AsyncIterator["_Came"]:
        came = _Came(self.make_source())
        # What is sent before it listens need not come.
        while await came.source.waiting() is None:  # noqa: ASYNC110 - the other side sets no event
            await asyncio.sleep(0)
        try:
            yield came
        finally:
            await came.close()


class _Came:
    """What a source brings, one by one."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._arrivals: asyncio.Queue[Arrival] = asyncio.Queue()
        self._receiving = asyncio.ensure_future(self._receive())

    async def __call__(self) -> Arrival:
        """Return the next one."""
        return await self._arrivals.get()

    async def close(self) -> None:
        """Stop the source."""
        self._receiving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._receiving
        await self.source.close()

    async def _receive(self) -> None:
        async for arrival in self.source.receive():
            self._arrivals.put_nowait(arrival)


def _texts(count: int, *, first: int = 0) -> list[bytes]:
    return [json.dumps({"number": number}).encode() for number in range(first, first + count)]


def _number(arrival: Arrival) -> int:
    return int(json.loads(arrival.body)["number"])


def _run(steps: Any) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(LONG_S):
            await steps

    asyncio.run(bounded())

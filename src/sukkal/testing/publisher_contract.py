"""The contract of publishers as a test suite: a class per publisher that makes one, and receives from it.

::

    class TestPigeons(PublisherContract):
        def make_publisher(self, port: int, context: PublisherContext) -> Publisher:
            return PigeonPublisher({"port": port}, context)

        def receiver(self) -> AbstractAsyncContextManager[EventReceiver]:
            return Loft()
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, Final, Protocol

from sukkal.format import Event
from sukkal.publisher import ACCEPTED, Notification, Publisher, PublisherContext
from sukkal.testing.peers import Peer, Talk, closes_after, hangs, says

__all__ = ["EventReceiver", "PublisherContract"]

NOW_MS: Final = 1_700_000_000_000
SHORT_S: Final = 0.3
LONG_S: Final = 20.0
# How much longer than it may an attempt takes on a busy machine.
SLACK_S: Final = 5.0


class EventReceiver(Protocol):
    """A real receiver, on a port of 127.0.0.1."""

    port: int

    async def received(self) -> list[str]:
        """Return the ids of the events that have come so far."""

    async def refuse(self) -> None:
        """Take nothing from now on."""


class PublisherContract(ABC):
    """Laws of ``sukkal.publisher``. ``garbage`` is no answer in the publisher's protocol."""

    garbage: ClassVar[bytes] = b"\x00\xff no answer \r\n\r\n"
    stores_once: ClassVar[bool] = False
    """Whether the receiver keeps what it is given again only once."""

    @abstractmethod
    def make_publisher(self, port: int, context: PublisherContext) -> Publisher:
        """Return a new publisher for a receiver at a port of 127.0.0.1."""

    @abstractmethod
    def receiver(self) -> AbstractAsyncContextManager[EventReceiver]:
        """Return a receiver that takes what comes."""

    def test_what_is_accepted_has_come(self) -> None:
        async def steps(receiver: EventReceiver, publisher: Publisher) -> None:
            sent = [_notification(number) for number in range(5)]
            assert list(await publisher.publish(sent)) == [ACCEPTED] * 5
            assert await receiver.received() == [each.event.id for each in sent]

        self._with_receiver(steps)

    def test_what_is_published_again_is_known_by_its_id(self) -> None:
        async def steps(receiver: EventReceiver, publisher: Publisher) -> None:
            for _ in range(2):
                assert list(await publisher.publish([_notification(1)])) == [ACCEPTED]
            assert await receiver.received() == ["event-1"] * (1 if self.stores_once else 2)

        self._with_receiver(steps)

    def test_what_is_refused_is_not_accepted_and_each_is_told(self) -> None:
        async def steps(receiver: EventReceiver, publisher: Publisher) -> None:
            await receiver.refuse()
            verdicts = await publisher.publish([_notification(number) for number in range(3)])
            assert [verdict.accepted for verdict in verdicts] == [False] * 3
            assert all(verdict.reason for verdict in verdicts)

        self._with_receiver(steps)

    def test_the_same_notification_is_always_in_the_same_lane(self) -> None:
        async def steps(receiver: EventReceiver, publisher: Publisher) -> None:
            assert publisher.lane(_notification(1)) == publisher.lane(_notification(1))
            assert publisher.batch_max >= 1

        self._with_receiver(steps)

    def test_a_receiver_that_hangs_is_given_up_in_time_and_is_everybodys_failure(self) -> None:
        self._with_peer(hangs)

    def test_a_receiver_that_closes_the_connection_is_everybodys_failure(self) -> None:
        self._with_peer(closes_after(b""))

    def test_a_receiver_that_answers_nonsense_is_everybodys_failure(self) -> None:
        self._with_peer(says(self.garbage))

    def test_a_receiver_that_is_not_there_is_everybodys_failure(self) -> None:
        async def steps() -> None:
            async with Peer(hangs) as peer:
                port = peer.port
            await self._fails(port)

        _run(steps())

    def _with_receiver(self, steps: Callable[[EventReceiver, Publisher], Awaitable[None]]) -> None:
        async def all_steps() -> None:
            async with self.receiver() as receiver:
                publisher = self.make_publisher(receiver.port, _context(LONG_S))
                try:
                    await steps(receiver, publisher)
                finally:
                    await publisher.close()
                    await publisher.close()

        _run(all_steps())

    def _with_peer(self, talk: Talk) -> None:
        async def steps() -> None:
            async with Peer(talk) as peer:
                await self._fails(peer.port)
                await peer.deserted.wait()

        _run(steps())

    async def _fails(self, port: int) -> None:
        publisher = self.make_publisher(port, _context(SHORT_S))
        try:
            async with asyncio.timeout(SHORT_S * 2 + SLACK_S):
                verdicts = await publisher.publish([_notification(1), _notification(2)])
        finally:
            await publisher.close()
        assert [(verdict.accepted, verdict.everybody, verdict.permanent) for verdict in verdicts] == [
            (False, True, False)
        ] * 2


def _notification(number: int) -> Notification:
    event = Event(id=f"event-{number}", source="/s", type="t", subject="thing", data={"number": number})
    return Notification(event=event, project="p-1")


def _context(timeout_s: float) -> PublisherContext:
    client = "3381af92-2b9e-11e3-b191-71861300734c"
    return PublisherContext(name="p", client_id=client, now_ms=lambda: NOW_MS, timeout_s=timeout_s)


def _run(steps: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(LONG_S * 2):
            await steps

    asyncio.run(bounded())

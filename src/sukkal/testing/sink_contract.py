"""The contract of sinks as a test suite: a class per sink that says how to make one, and how to receive from it.

::

    class TestPigeons(SinkContract):
        garbage = b"coo"
        ...

        def make_sink(self) -> Sink:
            return PigeonSink()
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from socket import socket
from typing import Any, ClassVar, Final, NamedTuple, Protocol

import pytest

from sukkal.errors import InvalidRequest
from sukkal.sink import Delivery, Outcome, Sink
from sukkal.testing.peers import Peer, Talk, closes_after, drips, hangs, repeats, says

__all__ = ["Received", "Receiver", "SinkContract"]

NOW_MS: Final = 1_700_000_000_000
SHORT_S: Final = 0.3
LONG_S: Final = 20.0
# How much longer than it may an attempt takes on a busy machine.
SLACK_S: Final = 5.0


class Received(NamedTuple):
    """What came to a receiver: the delivery's id, and the JSON text."""

    id: str
    body: bytes


class Receiver(Protocol):
    """A real receiver of a sink's kind, on a port of 127.0.0.1."""

    port: int

    async def received(self) -> list[Received]:
        """Return what has come so far."""

    async def refuse(self) -> None:
        """Refuse what comes from now on."""


class SinkContract:
    """What every sink has to pass. A subclass says how to make one, and how its kind of receiver talks."""

    speaks_first: ClassVar[bool] = False
    garbage: ClassVar[bytes]
    """What is no answer of the protocol."""
    beginning: ClassVar[bytes]
    """A part of a good answer: whoever gets it has to wait for more."""
    endless: ClassVar[tuple[bytes, bytes]]
    """The beginning of an answer that has no end, and what it goes on with for ever."""
    secret: ClassVar[str] = "correct-horse-battery-staple"  # noqa: S105 - nobody else's

    def make_sink(self) -> Sink:
        """Return a new sink, for subscribers at 127.0.0.1."""
        raise NotImplementedError

    def receiver(self) -> AbstractAsyncContextManager[Receiver]:
        """Return a receiver that takes what comes."""
        raise NotImplementedError

    def subscriber(self, port: int) -> str:
        """Return the URI of the subscriber at a port, with the ``secret`` if it can have one."""
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """Return the options of the subscription, with the ``secret`` if they can have one."""
        return {}

    def unusable(self) -> list[tuple[str, dict[str, Any]]]:
        """Return subscribers, with their options, that can never be delivered to."""
        raise NotImplementedError

    # -- what it does -------------------------------------------------------------------------------------------------

    def test_what_is_taken_is_delivered_as_it_is(self) -> None:
        async def steps(sink: Sink) -> None:
            async with self.receiver() as receiver:
                outcome = await sink.attempt(self.delivery(receiver.port))
                assert outcome.delivered, outcome
                assert (outcome.error, outcome.retry_after_s, outcome.gone, outcome.permanent) == (
                    "",
                    None,
                    False,
                    False,
                )
                [received] = await receiver.received()
                assert received.id == "message-1"
                assert b'{"n": 1.50, "t": "\xc3\xa9\\u00e9"}' in received.body

        self.run(steps)

    def test_a_repetition_is_known_by_its_id(self) -> None:
        async def steps(sink: Sink) -> None:
            async with self.receiver() as receiver:
                for attempt in (1, 2):
                    assert (await sink.attempt(self.delivery(receiver.port, attempt=attempt))).delivered
                assert [received.id for received in await receiver.received()] == ["message-1"] * 2

        self.run(steps)

    def test_many_attempts_at_once_are_all_delivered(self) -> None:
        async def steps(sink: Sink) -> None:
            async with self.receiver() as receiver:
                deliveries = [self.delivery(receiver.port, id_=f"message-{number}") for number in range(20)]
                outcomes = await asyncio.gather(*map(sink.attempt, deliveries))
                assert all(outcome.delivered for outcome in outcomes), outcomes
                assert {received.id for received in await receiver.received()} == {each.id for each in deliveries}

        self.run(steps)

    def test_what_is_refused_is_not_delivered(self) -> None:
        async def steps(sink: Sink) -> None:
            async with self.receiver() as receiver:
                await receiver.refuse()
                outcome = await sink.attempt(self.delivery(receiver.port))
                self.assert_failed(outcome)

        self.run(steps)

    def test_a_sink_that_was_closed_lets_go_of_its_connections(self) -> None:
        async def steps(sink: Sink) -> None:
            async with self.receiver() as receiver:
                assert (await sink.attempt(self.delivery(receiver.port))).delivered
                await sink.close()
                await sink.close()

        self.run(steps)

    def test_schemes_are_in_lower_case(self) -> None:
        async def steps(sink: Sink) -> None:
            assert sink.schemes
            assert all(scheme == scheme.lower() for scheme in sink.schemes)

        self.run(steps)

    def test_what_could_never_be_delivered_to_is_refused_before_and_fails_for_good(self) -> None:
        async def steps(sink: Sink) -> None:
            for subscriber, options in self.unusable():
                with pytest.raises(InvalidRequest) as refused:
                    sink.check(subscriber, options)
                assert self.secret not in str(refused.value)
                outcome = await sink.attempt(self.delivery(1, subscriber=subscriber, options=options))
                self.assert_failed(outcome)
                assert outcome.permanent, (subscriber, outcome)

        self.run(steps)

    def test_what_can_be_delivered_to_passes_the_check(self) -> None:
        async def steps(sink: Sink) -> None:
            sink.check(self.subscriber(8_080), self.options())

        self.run(steps)

    # -- others that misbehave ----------------------------------------------------------------------------------------

    def test_nobody_there_is_a_failure(self) -> None:
        async def steps(sink: Sink) -> None:
            with socket() as reserved:
                reserved.bind(("127.0.0.1", 0))
                outcome = await sink.attempt(self.delivery(reserved.getsockname()[1]))
            self.assert_failed(outcome)
            assert not outcome.permanent

        self.run(steps)

    def test_one_that_never_answers_is_left_when_the_time_is_up(self) -> None:
        self.assert_bounded(hangs)

    def test_one_that_answers_drop_by_drop_is_left_when_the_time_is_up(self) -> None:
        self.assert_bounded(drips(self.beginning))

    def test_an_answer_without_an_end_is_not_read_to_its_end(self) -> None:
        self.assert_bounded(repeats(*self.endless))

    def test_half_an_answer_is_none(self) -> None:
        self.assert_bounded(says(self.beginning))

    def test_garbage_is_a_failure(self) -> None:
        self.assert_bounded(says(self.garbage))

    def test_a_connection_that_is_closed_at_once_is_a_failure(self) -> None:
        self.assert_bounded(closes_after(b""))

    def test_a_connection_that_is_closed_midway_is_a_failure(self) -> None:
        self.assert_bounded(closes_after(self.beginning))

    def test_a_cancelled_attempt_leaves_nothing_open(self) -> None:
        async def steps(sink: Sink) -> None:
            for talk in (hangs, says(self.beginning)):
                async with Peer(talk, speaks_first=self.speaks_first) as peer:
                    attempt = asyncio.create_task(sink.attempt(self.delivery(peer.port)))
                    await peer.heard.wait()
                    attempt.cancel()
                    await asyncio.wait({attempt}, timeout=SLACK_S)
                    assert attempt.cancelled(), attempt
                    await peer.deserted.wait()

        self.run(steps)

    def test_no_secret_is_in_an_outcome_or_a_log_line(self, caplog: pytest.LogCaptureFixture) -> None:
        outcomes: list[Outcome] = []

        async def steps(sink: Sink) -> None:
            async with self.receiver() as receiver:
                outcomes.append(await sink.attempt(self.delivery(receiver.port)))
                await receiver.refuse()
                outcomes.append(await sink.attempt(self.delivery(receiver.port)))
            outcomes.append(await sink.attempt(self.delivery(1)))
            for words in (self.garbage, self.beginning, self.secret.encode()):
                async with Peer(closes_after(words), speaks_first=self.speaks_first) as peer:
                    outcomes.append(await sink.attempt(self.delivery(peer.port, timeout_s=SHORT_S)))

        with caplog.at_level(logging.DEBUG):
            self.run(steps)
        assert self.secret not in caplog.text
        assert all(self.secret not in repr(outcome) for outcome in outcomes)

    # -- tools --------------------------------------------------------------------------------------------------------

    def delivery(
        self,
        port: int,
        *,
        id_: str = "message-1",
        attempt: int = 1,
        timeout_s: float = LONG_S,
        subscriber: str | None = None,
        options: dict[str, Any] | None = None,
    ) -> Delivery:
        """Return a delivery to the subscriber at a port."""
        return Delivery(
            id=id_,
            attempt=attempt,
            body=b'{"n": 1.50, "t": "\xc3\xa9\\u00e9"}',
            ttl_s=300,
            posted_ms=NOW_MS - 5_000,
            project="project",
            queue_name="queue",
            subscription_id="subscription",
            subscriber=self.subscriber(port) if subscriber is None else subscriber,
            options=self.options() if options is None else options,
            now_ms=NOW_MS,
            timeout_s=timeout_s,
        )

    def run(self, steps: Callable[[Sink], Awaitable[None]]) -> None:
        """Take steps with a new sink. Fails if they take too long, or leave a task behind."""

        async def all_steps() -> None:
            async with asyncio.timeout(2 * LONG_S), self._sink() as sink:
                await steps(sink)
            for _ in range(10):
                await asyncio.sleep(0)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, left

        asyncio.run(all_steps())

    def assert_bounded(self, talk: Talk) -> None:
        """Try one who talks like this; the attempt fails in time and leaves the connection."""

        async def steps(sink: Sink) -> None:
            async with Peer(talk, speaks_first=self.speaks_first) as peer:
                async with asyncio.timeout(SHORT_S + SLACK_S):
                    outcome = await sink.attempt(self.delivery(peer.port, timeout_s=SHORT_S))
                self.assert_failed(outcome)
                assert not outcome.permanent
                assert peer.connections == 1
                await peer.deserted.wait()

        self.run(steps)

    def assert_failed(self, outcome: Outcome) -> None:
        """See that it is told as a failure, in a sentence that gives nothing away."""
        assert not outcome.delivered
        assert outcome.attempted, "a sink that has nothing else to do has room"
        assert outcome.error
        assert outcome.error.endswith(".")
        assert "\n" not in outcome.error
        assert "127.0.0.1" not in outcome.error
        assert "Traceback" not in repr(outcome)

    @asynccontextmanager
    async def _sink(self) -> AsyncIterator[Sink]:
        sink = self.make_sink()
        try:
            yield sink
        finally:
            await sink.close()

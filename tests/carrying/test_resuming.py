"""What is carried breaks off at every step, and goes on as if it had not."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace
from tests.carrying.dying import Dying
from tests.carrying.in_memory import in_memory
from tests.pools.faulty import Faults, faulty

from sukkal.carrying import arriving, leaving
from sukkal.carrying.arriving import Progress, check_whole
from sukkal.carrying.leaving import UNFINISHED
from sukkal.carrying.migration import migrate
from sukkal.engines.memory import MemoryEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.errors import StartupError, StoreUnavailable
from sukkal.model import Ack, NewClaim, NewMessage, Post, QueueKey, RecordKey, Subscription
from sukkal.pools.begun import MOVES
from sukkal.pools.identity import IDENTITY
from sukkal.testing.contract_whole import keys, records, stock
from sukkal.testing.move_ends import Ends, MovableEngine
from sukkal.testing.subject import QUEUE
from sukkal.whole import Source, Target

LARGE = QueueKey("project", "large")


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "_PAGE", 3)
    monkeypatch.setattr(arriving, "_MESSAGES_AT_ONCE", 5)
    monkeypatch.setattr(arriving, "_QUEUES_AT_ONCE", 3)


def carry(ends: Ends, target: MovableEngine, origin: str = "here") -> Progress:
    now_ms = ends.subject.clock()
    carrying = migrate(
        cast(Source, ends.source), cast(Target, target), origin, now_ms=now_ms, tell=lambda progress, compares: None
    )
    return ends.run(carrying)


def seen(ends: Ends, engine: MovableEngine) -> Any:
    return ends.seen(engine, *keys(ends, ends.source)), records(ends, engine)


def break_off_at_each_call(ends: Ends, *, after: bool, reopen: bool) -> int:
    """Let the n-th run die at its n-th call, until one does not, and return how many runs that were."""
    runs = 0
    while True:
        runs += 1
        dying = Dying(ends.target, runs, after=after)
        with contextlib.suppress(StoreUnavailable, ExceptionGroup):
            carry(ends, dying.engine)
        if not dying.dead:
            return runs
        ends.subject.pass_s(0.01)
        if reopen:
            ends.reopen()


@pytest.mark.parametrize("after", [False, True])
def test_it_goes_on_however_often_it_breaks_off(*, after: bool) -> None:
    with in_memory() as ends:
        stock(ends)
        ends.subject.post(23, key=LARGE)
        before = seen(ends, ends.source)
        assert break_off_at_each_call(ends, after=after, reopen=False) > 10
        assert seen(ends, ends.target) == before


@pytest.mark.parametrize("after", [False, True])
def test_so_it_does_when_the_process_is_another_one(tmp_path: Path, *, after: bool) -> None:
    with contextlib.closing(Ends(lambda name: SqliteEngine(tmp_path / name))) as ends:
        stock(ends)
        ends.subject.post(23, key=LARGE)
        before = seen(ends, ends.source)
        assert break_off_at_each_call(ends, after=after, reopen=True) > 10
        assert seen(ends, ends.target) == before


@pytest.mark.parametrize("after", [False, True])
def test_each_single_step_may_be_the_one_that_breaks_off(*, after: bool) -> None:
    last, dead = 0, True
    while dead:
        last += 1
        with in_memory() as ends:
            stock(ends)
            ends.subject.post(7, key=LARGE)
            before = seen(ends, ends.source)
            dying = Dying(ends.target, last, after=after)
            with contextlib.suppress(StoreUnavailable, ExceptionGroup):
                carry(ends, dying.engine)
            dead = dying.dead
            carry(ends, ends.target)
            assert seen(ends, ends.target) == before
    assert last > 100


class TestBrokenOff:
    """A store to which not everything has come."""

    @pytest.fixture
    def ends(self) -> Iterator[Ends]:
        with in_memory() as ends:
            stock(ends)
            ends.subject.post(23, key=LARGE)
            with pytest.raises(StoreUnavailable):
                carry(ends, Dying(ends.target, after=True, name="open_staged").engine)
            yield ends

    def test_it_is_not_served(self, ends: Ends) -> None:
        with pytest.raises(StartupError, match="filled from here"):
            ends.run(check_whole(ends.target, ends.subject.clock()))
        carry(ends, ends.target)
        ends.run(check_whole(ends.target, ends.subject.clock()))

    def test_it_is_filled_from_nowhere_else(self, ends: Ends) -> None:
        with pytest.raises(StartupError, match="being filled from here"):
            carry(ends, ends.target, "there")

    def test_nothing_is_carried_out_of_it(self, ends: Ends) -> None:
        with pytest.raises(StartupError, match="Not everything has come"):
            carry(ends.swapped(), MemoryEngine())

    def test_what_was_done_at_the_source_meanwhile_is_noticed(self, ends: Ends) -> None:
        arrived = keys(ends, ends.target)[0]
        message = NewMessage(id="new", body=b"1", ttl_s=60)
        ends.run(ends.source.publish([Post(arrived, (message,))], now_ms=ends.subject.clock()))
        with pytest.raises(StartupError, match="Was the source served"):
            carry(ends, ends.target)
        with pytest.raises(StartupError, match="not everything has come"):
            ends.run(check_whole(ends.target, ends.subject.clock()))


DAMAGES: dict[str, Callable[[MovableEngine, int], Any]] = {
    "a message that is missing": lambda engine, now_ms: engine.delete_messages(
        LARGE, ["lost"], now_ms=now_ms, claimed=True
    ),
    "a claim that is another one": lambda engine, now_ms: engine.extend(
        LARGE, "claim", ttl_s=77, grace_s=77, now_ms=now_ms
    ),
    "a message that was settled": lambda engine, now_ms: engine.settle(LARGE, "claim", {"held": Ack()}, now_ms=now_ms),
    "a queue that is missing": lambda engine, now_ms: engine.delete_queue(QUEUE),
    "a queue too many": lambda engine, now_ms: engine.put_queue(QueueKey("z", "z"), {}, revision=None, now_ms=now_ms),
    "other metadata": lambda engine, now_ms: engine.put_queue(QUEUE, {"x": 1}, revision=2, now_ms=now_ms),
    "a record that is missing": lambda engine, now_ms: engine.delete_record(RecordKey("k", "p", "a"), now_ms=now_ms),
    "a record too many": lambda engine, now_ms: engine.put_record(RecordKey("z", "z", "z"), b"1", now_ms=now_ms),
    "a subscription that is missing": lambda engine, now_ms: engine.delete_subscription(QUEUE, "order"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_arrived_otherwise_is_noticed(damage: Callable[[MovableEngine, int], Any]) -> None:
    with in_memory() as ends:
        stock(ends)
        fill_large(ends)

        now_ms = ends.subject.clock()

        def tell(progress: Progress, compares: bool) -> None:
            if compares:
                drive(damage(ends.target, now_ms))

        with pytest.raises(StartupError, match="differs"):
            ends.run(migrate(cast(Source, ends.source), cast(Target, ends.target), "here", now_ms=now_ms, tell=tell))


def drive(call: Any) -> None:
    """Run a call that waits for nothing: those of the engine in memory do not."""
    with pytest.raises(StopIteration):
        call.send(None)


def fill_large(ends: Ends) -> None:
    now_ms, source = ends.subject.clock(), ends.source
    for id_ in ("held", "lost", "free"):
        ends.run(source.publish([Post(LARGE, (NewMessage(id=id_, body=b"1", ttl_s=900),))], now_ms=now_ms))
        if id_ == "held":
            ends.run(source.claim(LARGE, NewClaim(id="claim", ttl_s=60, grace_s=60), limit=1, now_ms=now_ms))
    order = Subscription(
        id="order",
        queue=QUEUE,
        subscriber="http://z/",
        ttl_s=60,
        options={},
        confirmed=True,
        created_ms=now_ms,
        expires_ms=now_ms + 60_000,
    )
    ends.run(source.put_subscription(order, revision=None, now_ms=now_ms))


def test_a_store_that_has_something_is_not_filled() -> None:
    with in_memory() as ends:
        stock(ends)
        ends.run(ends.target.put_record(RecordKey("k", "", "n"), b"1", now_ms=1))
        with pytest.raises(StartupError, match="data in it already"):
            carry(ends, ends.target)


def test_what_is_said_of_who_does_something_just_now_stays_behind() -> None:
    with in_memory() as ends:
        now_ms = ends.subject.clock()
        for engine in (ends.source, ends.target):
            ends.run(engine.put_record(RecordKey("lease", "", "n"), b"1", now_ms=now_ms, expires_ms=now_ms + 60_000))
            ends.run(engine.put_record(RecordKey(IDENTITY, "", IDENTITY), b"who", now_ms=now_ms))
        ends.run(ends.source.put_record(RecordKey("k", "", "n"), b"1", now_ms=now_ms))
        assert carry(ends, ends.target).records == 1


def test_a_store_of_which_a_queue_moves_to_another_pool_is_not_carried() -> None:
    with in_memory() as ends:
        ends.run(ends.source.put_record(RecordKey(MOVES, "p", "queue/q"), b"{}", now_ms=1))
        with pytest.raises(StartupError, match="moved from one pool to another"):
            carry(ends, ends.target)
        assert ends.run(ends.target.get_record(UNFINISHED, now_ms=1)) is None


def test_two_do_not_fill_a_store_at_once() -> None:
    with in_memory() as ends:
        stock(ends)

        async def both() -> list[Any]:
            now_ms = ends.subject.clock()
            faults = Faults()
            return await asyncio.gather(
                *(
                    migrate(
                        cast(Source, faulty(ends.source, faults)),
                        cast(Target, faulty(ends.target, faults)),
                        "here",
                        now_ms=now_ms,
                        tell=lambda progress, compares: None,
                    )
                    for _ in range(2)
                ),
                return_exceptions=True,
            )

        one, other = sorted(ends.run(both()), key=lambda each: isinstance(each, Exception))
        assert isinstance(one, Progress)
        assert isinstance(other, StartupError)


def test_what_has_arrived_does_not_come_again() -> None:
    with in_memory() as ends:
        stock(ends)
        first_time = carry(ends, ends.target)
        ends.run(ends.target.delete_queue(QUEUE))
        assert carry(ends, ends.target) == replace(first_time, earlier=True)
        assert ends.run(ends.target.get_queue(QUEUE)) is None
        with pytest.raises(StartupError, match="data in it already"):
            carry(ends, ends.target, "there")

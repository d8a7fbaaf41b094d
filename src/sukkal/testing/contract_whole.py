"""Examples of the contract: a whole store that is carried from one engine to another. See ``sukkal.whole``.

::

    class TestMemoryAsAWhole(WholeContract):
        def make_engine(self, directory: Path) -> MovableEngine:
            return MemoryEngine()
"""

from typing import Any, cast

from sukkal.carrying.arriving import Progress
from sukkal.carrying.leaving import ARRIVED, UNFINISHED
from sukkal.carrying.migration import migrate
from sukkal.model import NewMessage, Once, Post, QueueKey, RecordKey
from sukkal.testing.contract_listening import look
from sukkal.testing.contract_moving import fill
from sukkal.testing.contract_subscriptions import due, subscribe
from sukkal.testing.move_ends import Ends, MovableEngine, TwoEnds
from sukkal.testing.subject import QUEUE
from sukkal.whole import Source, Target

__all__ = ["WholeContract", "carry", "keys", "records", "stock"]

HISTORY = QUEUE._replace(kind="history")
ELSEWHERE = QueueKey("another", "queue")


class WholeContract(TwoEnds):
    """What the contract says of a store as a whole. A subclass says how to make an engine in a directory."""

    def test_queues_are_listed_by_project_kind_and_name_and_hidden_ones_too(self, ends: Ends) -> None:
        backlog = stock(ends)
        expected = sorted([QUEUE, HISTORY, ELSEWHERE, backlog, *_others()], key=lambda key: (key[0], key[2], key[1]))
        found = keys(ends, ends.source)
        assert [key for key in found if key in expected] == expected
        assert len(found) == len(expected) + 2  # the backlogs of the other subscriptions

    def test_what_is_staged_is_in_no_list(self, ends: Ends) -> None:
        ends.subject.post(1)
        ends.copy(QUEUE)
        assert keys(ends, ends.target) == []

    def test_live_records_are_listed_by_kind_project_and_name(self, ends: Ends) -> None:
        stock(ends)
        listed = records(ends, ends.source)
        assert [each.key for each in listed] == sorted(each.key for each in listed)
        assert [each.key.name for each in listed] == ["a", "b", "a", "ends"]
        ends.subject.pass_s(3_600)
        assert [each.key.name for each in records(ends, ends.source)] == ["a", "b", "a"]

    def test_records_come_as_they_were(self, ends: Ends) -> None:
        stock(ends)
        ends.subject.pass_s(5)
        carry(ends)
        assert records(ends, ends.target) == records(ends, ends.source)

    def test_a_record_that_comes_takes_the_place_of_one_that_is_there(self, ends: Ends) -> None:
        stock(ends)
        now_ms = ends.subject.clock() + 7
        ends.run(ends.target.put_record(RecordKey("k", "p", "a"), b"9", now_ms=now_ms, expires_ms=now_ms + 9))
        some = records(ends, ends.source)
        ends.run(_target(ends).bring_records(some))
        ends.run(_target(ends).bring_records(some))
        assert records(ends, ends.target) == some

    def test_everything_arrives(self, ends: Ends) -> None:
        backlog = stock(ends)
        seen = ends.seen(ends.source, QUEUE, backlog, HISTORY, ELSEWHERE, *_others())
        carried = carry(ends)
        assert ends.seen(ends.target, QUEUE, backlog, HISTORY, ELSEWHERE, *_others()) == seen
        assert keys(ends, ends.target) == keys(ends, ends.source)
        assert (carried.queues, carried.records) == (len(keys(ends, ends.source)), 4)
        assert due(ends.swapped().subject) == [backlog]
        assert ends.run(ends.target.get_record(UNFINISHED, now_ms=ends.subject.clock())) is None

    def test_a_post_that_had_a_name_is_still_known(self, ends: Ends) -> None:
        now_ms = ends.subject.clock()
        act = Once(key="k", fingerprint=b"f", expires_ms=now_ms + 60_000)
        post = Post(QUEUE, (NewMessage(id="first", body=b"1", ttl_s=60),))
        ends.run(ends.source.publish([post], now_ms=now_ms, once=act))
        carry(ends)
        again = Post(QUEUE, (NewMessage(id="second", body=b"1", ttl_s=60),))
        assert ends.run(ends.target.publish([again], now_ms=now_ms, once=act)).ids == (("first",),)

    def test_a_backlog_whose_subscription_has_ended_stays_behind(self, ends: Ends) -> None:
        subscription = subscribe(ends.subject, ttl_s=60)
        ends.subject.pass_s(60)
        carry(ends)
        assert subscription.backlog not in keys(ends, ends.target)

    def test_whoever_has_an_old_place_is_told_that_something_is_missing(self, ends: Ends) -> None:
        before = look(ends.subject)
        ends.subject.post(3)
        page = look(ends.subject)
        carry(ends)
        after = look(ends.swapped().subject, page.messages[-1].sequence)
        assert after.epoch not in (0, page.epoch)
        assert not after.complete
        assert after.dropped > before.last
        assert after.last > page.last

    def test_so_is_one_whose_queue_was_gone_before(self, ends: Ends) -> None:
        ends.subject.post(3)
        page = look(ends.subject)
        ends.run(ends.source.delete_queue(QUEUE))
        gone = look(ends.subject)
        carry(ends)
        arrived = look(ends.swapped().subject)
        assert arrived.dropped > gone.last
        ends.swapped().subject.post(1)
        again = look(ends.swapped().subject)
        assert again.epoch > page.last
        assert again.dropped > gone.last

    def test_numbers_are_greater_than_all_that_were_given(self, ends: Ends) -> None:
        stock(ends)
        last = ends.run(_source(ends).last_number())
        assert last >= look(ends.subject).last
        ends.run(_target(ends).begin_behind(last))
        swapped = ends.swapped().subject
        swapped.post(1)
        assert look(swapped).epoch > last
        assert ends.run(cast(Source, ends.target).last_number()) >= look(swapped).last


def stock(ends: Ends) -> QueueKey:
    """Put something of everything into the source, and return the backlog of a subscription."""
    subject, source = ends.subject, ends.source
    backlog = fill(ends)
    for key in (HISTORY, ELSEWHERE, *_others()):
        subject.post(3, key=key)
    now_ms = subject.clock()
    for kind, name, expires_ms in (
        ("j", "b", None),
        ("k", "a", None),
        ("z", "ends", now_ms + 3_600_000),
        ("j", "a", None),
    ):
        subject.run(source.put_record(RecordKey(kind, "p", name), name.encode(), now_ms=now_ms, expires_ms=expires_ms))
    subject.run(source.put_record(RecordKey("z", "p", "over"), b"1", now_ms=now_ms, expires_ms=now_ms + 1))
    subject.pass_s(0.001)
    return backlog


def carry(ends: Ends) -> Progress:
    """Bring all that the source has into the target."""
    now_ms = ends.subject.clock()
    told: list[Any] = []
    carried = ends.run(
        migrate(_source(ends), _target(ends), "here", now_ms=now_ms, tell=lambda *what: told.append(what))
    )
    assert told[-1] == (carried, True)
    return carried


def keys(ends: Ends, engine: MovableEngine) -> list[QueueKey]:
    """Return all queues of an engine, two at a time."""
    found: list[QueueKey] = []
    while page := ends.run(cast(Source, engine).all_queues(found[-1] if found else None, limit=2)):
        found += page
    return found


def records(ends: Ends, engine: MovableEngine) -> list[Any]:
    """Return all records of an engine that callers made, two at a time."""
    found: list[Any] = []
    now_ms = ends.subject.clock()
    while page := ends.run(cast(Source, engine).all_records(found[-1].key if found else None, limit=2, now_ms=now_ms)):
        found += page
    return [each for each in found if each.key != ARRIVED]


def _others() -> list[QueueKey]:
    return [QueueKey("project", name) for name in ("Queue", "que", "queue2", "ünicode", "\U0001f600", "~x")]


def _source(ends: Ends) -> Source:
    return cast(Source, ends.source)


def _target(ends: Ends) -> Target:
    return cast(Target, ends.target)

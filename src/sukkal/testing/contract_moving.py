"""Examples of the contract: whole queues that move from one engine to another. See ``sukkal.moving``.

::

    class TestMemoryMoves(MovingContract):
        def make_engine(self, directory: Path) -> MovableEngine:
            return MemoryEngine()
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sukkal.errors import QueueMoved
from sukkal.model import Ack, NewClaim, NewMessage, Once, Post, QueueKey, Release, Settled, Subscription, View
from sukkal.store import Engine
from sukkal.testing.contract_listening import look
from sukkal.testing.contract_subscriptions import due, post, subscribe
from sukkal.testing.contract_tokens import TokensContract
from sukkal.testing.move_ends import ALL, LATER_MS, Ends
from sukkal.testing.subject import QUEUE

__all__ = ["DurableMovingContract", "MovingContract", "fill"]


class MovingContract(TokensContract):
    """What the contract says of queues that move. A subclass says how to make an engine in a directory."""

    def test_a_queue_moves_with_all_that_callers_can_see(self, ends: Ends) -> None:
        backlog = fill(ends)
        before = ends.seen(ends.source, QUEUE, backlog)
        ends.move(QUEUE, backlog)
        assert ends.seen(ends.target, QUEUE, backlog) == before

    def test_what_happens_while_it_is_copied_moves_too(self, ends: Ends) -> None:
        backlog = fill(ends)
        seen: list[Any] = []

        def use() -> None:
            subject = ends.subject
            ids = subject.all()
            claim_id, held = subject.claim(3)
            subject.settle(claim_id, {held[0]: Ack(), held[1]: Release(delay_s=5)})
            subject.run(ends.source.delete_messages(QUEUE, ids[-1:], now_ms=subject.clock(), claimed=True))
            subject.post(4, ttl_s=60)
            post(subject, QUEUE, backlog)
            subject.claim(1, key=backlog, settle=True)
            seen.extend(ends.seen(ends.source, QUEUE, backlog))

        ends.move(QUEUE, backlog, between=use)
        assert ends.seen(ends.target, QUEUE, backlog) == seen

    def test_messages_keep_their_order_and_new_ones_come_behind(self, ends: Ends) -> None:
        ids = ends.subject.post(7)
        ends.move(QUEUE, between=lambda: ids.extend(ends.subject.post(5)))
        ids += _post(ends, ends.target, 3)
        assert _ids(ends, ends.target) == ids

    def test_a_live_claim_is_settled_where_the_queue_is_now(self, ends: Ends) -> None:
        ids = ends.subject.post(3)
        claim_id, held = ends.subject.claim(2)
        ends.move(QUEUE)
        settling = ends.target.settle(QUEUE, claim_id, {held[0]: Ack()}, now_ms=ends.subject.clock(), rest=Release())
        assert ends.run(settling) == {held[0]: Settled.DONE}
        assert _ids(ends, ends.target) == ids[1:]

    def test_a_claim_ends_at_its_time(self, ends: Ends) -> None:
        ends.subject.post(2)
        claim_id, held = ends.subject.claim(1, ttl_s=60)
        ends.move(QUEUE)
        ends.subject.pass_s(59.999)
        assert held[0] not in _free(ends)
        ends.subject.pass_s(0.001)
        assert held[0] in _free(ends)
        assert ends.run(ends.target.get_claim(QUEUE, claim_id, now_ms=ends.subject.clock())) is None

    def test_messages_that_were_set_aside_stay_so(self, ends: Ends) -> None:
        ends.subject.post(2)
        claim_id, held = ends.subject.claim(1, max_attempts=1)
        ends.subject.release(claim_id)
        ends.move(QUEUE)
        assert held[0] not in _free(ends)
        now_ms = ends.subject.clock()
        assert ends.run(ends.target.due_queues(now_ms=now_ms, limit=5)) == (QUEUE,)
        claim = NewClaim(id="aside", ttl_s=60, grace_s=60)
        taken = ends.run(ends.target.claim(QUEUE, claim, limit=5, now_ms=now_ms, set_aside=True))
        assert [each.id for each in taken] == held

    def test_a_key_still_names_the_older_message(self, ends: Ends) -> None:
        old = NewMessage(id="old", body=b"1", ttl_s=60, key=b"k")
        ends.run(ends.source.publish([Post(QUEUE, (old,))], now_ms=ends.subject.clock()))
        ends.move(QUEUE)
        new = NewMessage(id="new", body=b"1", ttl_s=60, key=b"k")
        ends.run(ends.target.publish([Post(QUEUE, (new,))], now_ms=ends.subject.clock()))
        assert _ids(ends, ends.target) == ["new"]

    def test_acts_of_publishing_are_still_known(self, ends: Ends) -> None:
        now_ms = ends.subject.clock()
        acts = [Once(key=f"k{number}", fingerprint=b"f", expires_ms=now_ms + 60_000) for number in range(5)]
        for act in acts:
            new = NewMessage(id=act.key, body=b"1", ttl_s=60)
            ends.run(ends.source.publish([Post(QUEUE, (new,))], now_ms=now_ms, once=act))
        ends.move(QUEUE)
        for act in acts:
            again = NewMessage(id="again", body=b"1", ttl_s=60)
            published = ends.run(ends.target.publish([Post(QUEUE, (again,))], now_ms=now_ms, once=act))
            assert (published.repeated, published.ids) == (True, ((act.key,),))

    def test_a_held_queue_is_read_and_not_written(self, ends: Ends) -> None:
        ids = ends.subject.post(2)
        before = ends.seen(ends.source, QUEUE)
        ends.hold(QUEUE)
        for write in _writes(ends, ids):
            with pytest.raises(QueueMoved) as refused:
                ends.run(write())
            assert refused.value.held
        assert ends.seen(ends.source, QUEUE) == before
        ends.hold(QUEUE, held=False)
        ids += ends.subject.post(1)
        assert ends.subject.all() == ids

    def test_nothing_is_written_to_a_queue_that_is_held_before_it_exists(self, ends: Ends) -> None:
        ends.hold(QUEUE)
        with pytest.raises(QueueMoved):
            ends.subject.post(1)
        assert ends.run(ends.source.get_queue(QUEUE)) is None

    def test_writes_that_came_before_the_hold_are_done_and_later_ones_are_not(self, ends: Ends) -> None:
        ends.subject.post(1)
        now_ms = ends.subject.clock()
        posts = [[Post(QUEUE, (NewMessage(id=f"id{number}", body=b"1", ttl_s=60),))] for number in range(2)]

        async def late() -> object:
            try:
                return await ends.source.publish(posts[1], now_ms=now_ms)
            except QueueMoved as error:
                return error

        first, _, second = ends.subject.together(
            ends.source.publish(posts[0], now_ms=now_ms), ends.source.hold([QUEUE], held=True), late()
        )
        assert first.ids == (("id0",),)
        assert isinstance(second, QueueMoved)
        assert "id1" not in ends.subject.all()

    def test_each_call_on_a_queue_that_was_given_up_tells_that_it_moved(self, ends: Ends) -> None:
        ids = ends.subject.post(2)
        ends.move(QUEUE)
        for call in (*_writes(ends, ids), *_reads(ends, ids)):
            with pytest.raises(QueueMoved) as refused:
                ends.run(call())
            assert not refused.value.held
        assert ends.run(ends.source.list_queues("project", "queue", after="", limit=9, total=True)).total == 0
        assert ends.run(ends.source.usage("project", now_ms=ends.subject.clock())).messages == 0

    def test_a_sweep_removes_a_marker_at_its_time(self, ends: Ends) -> None:
        ends.subject.post(1)
        ends.move(QUEUE)
        ends.subject.pass_s(LATER_MS / 1_000 - 0.001)
        ends.subject.sweep()
        with pytest.raises(QueueMoved):
            ends.subject.all()
        ends.subject.pass_s(0.001)
        ends.subject.sweep()
        assert ends.subject.all() == []

    def test_a_queue_is_admitted_again_with_greater_numbers(self, ends: Ends) -> None:
        ends.subject.post(1)
        ends.move(QUEUE)
        ends.run(ends.source.admit([QUEUE], above=10**15 * 3))
        ids = ends.subject.post(1)
        assert ends.subject.all() == ids
        assert look(ends.subject).epoch > 10**15 * 3

    def test_what_is_staged_is_seen_by_nobody(self, ends: Ends) -> None:
        backlog = fill(ends)
        nothing = ends.seen(ends.target, QUEUE, backlog)
        for key in (QUEUE, backlog):
            ends.copy(key)
            ends.copy_details(key)
        now_ms = ends.subject.clock() + 10_000
        assert ends.seen(ends.target, QUEUE, backlog) == nothing
        assert ends.run(ends.target.due_queues(now_ms=now_ms, limit=9)) == ()
        assert ends.run(ends.target.due_queues(now_ms=now_ms, limit=9, backlogs=True)) == ()
        assert ends.run(ends.target.list_queues("project", "queue", after="", limit=9, total=True)).total == 0
        usage = ends.run(ends.target.usage("project", now_ms=now_ms))
        assert (usage.queues, usage.messages, usage.subscriptions) == (0, 0, 0)

    def test_what_was_staged_twice_is_there_once(self, ends: Ends) -> None:
        backlog = fill(ends)
        before = ends.seen(ends.source, QUEUE, backlog)
        for key in (QUEUE, backlog):
            ends.copy(key)
            ends.copy_details(key)
        ends.move(QUEUE, backlog)
        assert ends.seen(ends.target, QUEUE, backlog) == before

    def test_what_was_dropped_is_not_opened(self, ends: Ends) -> None:
        ends.subject.post(3)
        ends.copy(QUEUE)
        ends.run(ends.target.drop_staged([QUEUE]))
        ends.run(ends.target.open_staged([QUEUE], now_ms=ends.subject.clock()))
        assert ends.run(ends.target.get_queue(QUEUE)) is None

    def test_giving_up_and_opening_again_change_nothing(self, ends: Ends) -> None:
        ids = ends.subject.post(3)
        ends.move(QUEUE)
        ids += _post(ends, ends.target, 1)
        ends.run(ends.target.open_staged([QUEUE], now_ms=ends.subject.clock()))
        ends.run(ends.source.give_up([QUEUE], until_ms=ends.subject.clock() + LATER_MS))
        assert _ids(ends, ends.target) == ids

    def test_a_queue_that_comes_back_is_there_again(self, ends: Ends) -> None:
        ids = ends.subject.post(3)
        ends.move(QUEUE)
        ends.swapped().move(QUEUE)
        assert ends.subject.all() == ids

    def test_whoever_has_an_old_place_is_told_that_something_is_missing(self, ends: Ends) -> None:
        before = look(ends.subject)
        ends.subject.post(3)
        page = look(ends.subject)
        ends.move(QUEUE)
        moved = ends.swapped().subject
        after = look(moved, page.messages[-1].sequence)
        assert after.epoch not in (0, page.epoch)
        assert not after.complete
        assert after.dropped > before.last
        assert after.last > page.last


class DurableMovingContract(MovingContract):
    """What an engine has to pass besides if its data outlive the process."""

    def test_a_move_goes_on_after_reopening_at_any_step(self, ends: Ends) -> None:
        backlog = fill(ends)
        copied = {key: ends.copy(key) for key in (QUEUE, backlog)}
        ends.reopen()
        ends.subject.claim(2)
        ends.subject.post(2)
        post(ends.subject, QUEUE, backlog)
        before = ends.seen(ends.source, QUEUE, backlog)
        ends.hold(QUEUE, backlog)
        ends.reopen()
        with pytest.raises(QueueMoved):
            ends.subject.post(1)
        for key, sequence in copied.items():
            ends.copy(key, sequence)
            ends.copy_changes(key)
            ends.copy_details(key)
        ends.reopen()
        ends.run(ends.target.open_staged([QUEUE, backlog], now_ms=ends.subject.clock()))
        ends.reopen()
        ends.run(ends.source.give_up([QUEUE, backlog], until_ms=ends.subject.clock() + LATER_MS))
        ends.reopen()
        assert ends.seen(ends.target, QUEUE, backlog) == before
        with pytest.raises(QueueMoved):
            ends.subject.all()
        assert due(ends.swapped().subject) == [backlog]


def fill(ends: Ends) -> QueueKey:
    """Put one of everything into the queue and return the backlog of its subscription."""
    subject = ends.subject
    subject.run(ends.source.put_queue(QUEUE, {"a": {"b": [1]}}, revision=None, now_ms=subject.clock()))
    subject.run(ends.source.put_queue(QUEUE, {"a": 2}, revision=1, now_ms=subject.clock()))
    subscription: Subscription = subscribe(subject)
    subscribe(subject, "http://b/", ttl_s=60)
    subscribe(subject, "http://c/")
    for ttl_s in (60, 61, 300, 4_321):
        subject.post(2, ttl_s=ttl_s)
        subject.pass_s(0.5)
    subject.post(2, delay_s=30)
    for ttl_s in (60, 90, 4_000):
        subject.claim(1, ttl_s=ttl_s)
    ended, _ = subject.claim(1, ttl_s=60)
    subject.release(ended)
    subject.claim(1, ttl_s=60, max_attempts=1)
    for _ in range(4):
        post(subject, QUEUE, subscription.backlog)
    subject.claim(1, key=subscription.backlog)
    return subscription.backlog


def _post(ends: Ends, engine: Engine, count: int) -> list[str]:
    ids = [ends.subject.new_id() for _ in range(count)]
    messages = tuple(NewMessage(id=id_, body=b"1", ttl_s=60) for id_ in ids)
    ends.run(engine.publish([Post(QUEUE, messages)], now_ms=ends.subject.clock()))
    return ids


def _ids(ends: Ends, engine: Engine, view: View = ALL) -> list[str]:
    page = ends.run(engine.browse(QUEUE, after=None, limit=1_000, view=view, now_ms=ends.subject.clock()))
    return [each.id for each in page.messages]


def _free(ends: Ends) -> list[str]:
    return _ids(ends, ends.target, View())


def _writes(ends: Ends, ids: Sequence[str]) -> list[Callable[[], Any]]:
    engine, now_ms, claim = ends.source, ends.subject.clock(), NewClaim(id="c", ttl_s=60, grace_s=60)
    message = NewMessage(id="new", body=b"1", ttl_s=60)
    other = QUEUE._replace(name="other")
    subscription = Subscription(
        id="s", queue=QUEUE, subscriber="x", ttl_s=60, options={}, confirmed=True, created_ms=now_ms,
        expires_ms=now_ms + 60_000,
    )  # fmt: skip
    return [
        lambda: engine.put_queue(QUEUE, {}, revision=1, now_ms=now_ms),
        lambda: engine.delete_queue(QUEUE),
        lambda: engine.delete_queue(QUEUE, contents_only=True),
        lambda: engine.publish([Post(QUEUE, (message,))], now_ms=now_ms),
        lambda: engine.publish([Post(other, (message,)), Post(QUEUE, (message,))], now_ms=now_ms),
        lambda: engine.delete_messages(QUEUE, ids, now_ms=now_ms, claimed=True),
        lambda: engine.claim(QUEUE, claim, limit=1, now_ms=now_ms),
        lambda: engine.extend(QUEUE, "c", ttl_s=60, grace_s=60, now_ms=now_ms),
        lambda: engine.settle(QUEUE, "c", {}, now_ms=now_ms),
        lambda: engine.put_subscription(subscription, revision=None, now_ms=now_ms),
        lambda: engine.delete_subscription(QUEUE, "s"),
    ]


def _reads(ends: Ends, ids: Sequence[str]) -> list[Callable[[], Any]]:
    engine, now_ms = ends.source, ends.subject.clock()
    return [
        lambda: engine.get_queue(QUEUE),
        lambda: engine.browse(QUEUE, after=None, limit=1, view=ALL, now_ms=now_ms),
        lambda: engine.get_messages(QUEUE, ids, now_ms=now_ms),
        lambda: engine.get_claim(QUEUE, "c", now_ms=now_ms),
        lambda: engine.list_claims(QUEUE, after="", limit=1, now_ms=now_ms),
        lambda: engine.list_subscriptions(QUEUE, after="", limit=1, now_ms=now_ms),
        lambda: engine.stats(QUEUE, now_ms=now_ms),
        lambda: engine.next_due(QUEUE, now_ms=now_ms),
        lambda: engine.usage_of(QUEUE, now_ms=now_ms),
        lambda: engine.earlier(QUEUE, [Once(key="k", fingerprint=b"f", expires_ms=now_ms + 1)], now_ms=now_ms),
    ]

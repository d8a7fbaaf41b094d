"""Examples of the contract: several that move a queue one after another, of whom an earlier one comes late.

The later one has the greater token. See ``sukkal.moving``; ``contract_moving`` has these examples, too.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest

from sukkal.errors import QueueMoved
from sukkal.model import NewMessage, Post
from sukkal.testing.move_ends import LATER_MS, Ends, TwoEnds
from sukkal.testing.subject import QUEUE

__all__ = ["TokensContract"]

_EARLY: Final = 5
_LATE: Final = 6


class TokensContract(TwoEnds):
    """What the contract says of movers that come late. A subclass says how to make an engine in a directory."""

    def test_who_comes_late_lets_go_of_nothing_that_a_later_one_holds(self, ends: Ends) -> None:
        ends.subject.post(1)
        _hold(ends, _EARLY)
        _hold(ends, _LATE)
        _hold(ends, _EARLY, held=False)
        with pytest.raises(QueueMoved):
            ends.subject.post(1)
        _hold(ends, _LATE, held=False)
        ends.subject.post(1)

    def test_who_comes_later_lets_go_of_what_an_earlier_one_held(self, ends: Ends) -> None:
        ends.subject.post(1)
        _hold(ends, _EARLY)
        _hold(ends, _LATE, held=False)
        ends.subject.post(1)

    def test_nobody_holds_a_queue_that_a_later_one_holds_or_follows(self, ends: Ends) -> None:
        ends.subject.post(1)
        _hold(ends, _LATE)
        _refused(ends, lambda: ends.source.hold([QUEUE], held=True, token=_EARLY))
        _hold(ends, _LATE, held=False)
        ends.run(ends.source.follow(QUEUE, token=_LATE))
        _refused(ends, lambda: ends.source.hold([QUEUE], held=True, token=_EARLY))
        ends.subject.post(1)

    def test_what_a_later_one_follows_stays_followed_when_an_earlier_one_lets_go(self, ends: Ends) -> None:
        ids = ends.subject.post(3)
        _hold(ends, _EARLY)
        ends.run(ends.source.follow(QUEUE, token=_LATE))
        _hold(ends, _EARLY, held=False)
        now_ms = ends.subject.clock()
        ends.run(ends.source.delete_messages(QUEUE, ids[:1], now_ms=now_ms, claimed=True))
        assert ends.run(ends.source.changes(QUEUE, 0, limit=9, now_ms=now_ms)).gone == (ids[0],)

    def test_nobody_holds_a_queue_that_was_given_up(self, ends: Ends) -> None:
        ends.subject.post(1)
        ends.move(QUEUE)
        _refused(ends, lambda: ends.source.hold([QUEUE], held=True, token=_LATE))
        with pytest.raises(QueueMoved) as told:
            ends.subject.all()
        assert not told.value.held

    def test_a_queue_is_given_up_only_by_who_holds_it(self, ends: Ends) -> None:
        ids = ends.subject.post(2)
        _refused(ends, lambda: _give_up(ends, _EARLY))
        _hold(ends, _LATE)
        _refused(ends, lambda: _give_up(ends, _EARLY))
        _hold(ends, _LATE, held=False)
        _refused(ends, lambda: _give_up(ends, _LATE))
        ids += ends.subject.post(1)
        assert ends.subject.all() == ids

    def test_giving_up_what_is_neither_there_nor_held_leaves_no_marker(self, ends: Ends) -> None:
        ends.run(_give_up(ends, _EARLY))
        ids = ends.subject.post(1)
        assert ends.subject.all() == ids

    def test_what_one_has_staged_another_one_neither_changes_nor_opens(self, ends: Ends) -> None:
        ends.subject.post(2)
        _stage(ends, _LATE)
        for token in (_EARLY, _LATE + 1):
            _refused(ends, partial(_stage_call, ends, token))
            _refused(ends, partial(_open_call, ends, token))
        assert ends.run(ends.target.get_queue(QUEUE)) is None
        ends.run(_open_call(ends, _LATE))
        assert ends.run(ends.target.get_queue(QUEUE)) is not None

    def test_what_a_later_one_has_staged_is_not_dropped(self, ends: Ends) -> None:
        ends.subject.post(2)
        _stage(ends, _LATE)
        ends.run(ends.target.drop_staged([QUEUE], token=_EARLY))
        ends.run(_open_call(ends, _LATE))
        assert ends.run(ends.target.get_queue(QUEUE)) is not None

    def test_who_comes_late_opens_nothing_when_a_later_one_has_dropped_it(self, ends: Ends) -> None:
        ends.subject.post(2)
        _stage(ends, _EARLY)
        ends.run(ends.target.drop_staged([QUEUE], token=_LATE))
        ends.run(_open_call(ends, _EARLY))
        assert ends.run(ends.target.frame(QUEUE)) is None

    def test_a_queue_that_was_opened_bears_the_token_of_who_did_it(self, ends: Ends) -> None:
        ends.subject.post(2)
        _stage(ends, _LATE)
        ends.run(_open_call(ends, _LATE))
        opened, made_here = (ends.run(engine.frame(QUEUE)) for engine in (ends.target, ends.source))
        assert opened is not None
        assert made_here is not None
        assert (opened.token, made_here.token) == (_LATE, 0)

    def test_a_queue_that_is_there_already_is_not_replaced(self, ends: Ends) -> None:
        ends.subject.post(2)
        _stage(ends, _LATE)
        message = NewMessage(id="here", body=b"1", ttl_s=60)
        ends.run(ends.target.publish([Post(QUEUE, (message,))], now_ms=ends.subject.clock()))
        _refused(ends, lambda: _open_call(ends, _LATE))
        found = ends.run(ends.target.get_messages(QUEUE, ["here"], now_ms=ends.subject.clock()))
        assert [each.id for each in found] == ["here"]

    def test_a_page_ends_with_the_message_that_makes_it_large(self, ends: Ends) -> None:
        now_ms, source = ends.subject.clock(), ends.source
        ends.subject.post(1)
        ends.run(source.follow(QUEUE))
        ids = ["a", "b", "c", "d"]
        for id_ in ids:
            message = NewMessage(id=id_, body=b'"%s"' % (b"x" * 998), ttl_s=60)
            ends.run(source.publish([Post(QUEUE, (message,))], now_ms=now_ms))
        after, pages = 0, []
        while (found := ends.run(source.changes(QUEUE, after, limit=9, now_ms=now_ms, bytes_max=1_500))).next:
            pages.append([each.message.id for each in found.stored])
            after = found.next
        assert pages == [ids[:2], ids[2:]]
        first = ends.run(source.stored_after(QUEUE, -1, limit=1, now_ms=now_ms))[0].message.sequence
        page = ends.run(source.stored_after(QUEUE, first, limit=9, now_ms=now_ms, bytes_max=1_500))
        assert [each.message.id for each in page] == ids[:2]
        page = ends.run(source.stored_after(QUEUE, page[-1].message.sequence, limit=9, now_ms=now_ms, bytes_max=1))
        assert [each.message.id for each in page] == ids[2:3]


def _hold(ends: Ends, token: int, *, held: bool = True) -> None:
    """Hold the queue, or let it go."""
    ends.run(ends.source.hold([QUEUE], held=held, token=token))


def _give_up(ends: Ends, token: int) -> Any:
    """Return a call that gives the queue up."""
    return ends.source.give_up([QUEUE], until_ms=ends.subject.clock() + LATER_MS, token=token)


def _stage_call(ends: Ends, token: int) -> Any:
    """Return a call that stages what the queue is."""
    frame = ends.run(ends.source.frame(QUEUE))
    assert frame is not None
    return ends.target.stage(frame, now_ms=ends.subject.clock(), token=token)


def _stage(ends: Ends, token: int) -> None:
    """Stage the queue."""
    ends.run(_stage_call(ends, token))


def _open_call(ends: Ends, token: int) -> Any:
    """Return a call that opens what is staged."""
    return ends.target.open_staged([QUEUE], now_ms=ends.subject.clock(), token=token)


def _refused(ends: Ends, call: Callable[[], Any]) -> None:
    """Make a call that is another one's to make."""
    with pytest.raises(QueueMoved):
        ends.run(call())

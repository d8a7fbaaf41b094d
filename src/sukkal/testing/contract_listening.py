"""Examples of the contract: reading a queue as one that listens, who must notice when something was missed."""

import pytest

from sukkal.errors import RevisionConflict
from sukkal.model import Ack, NewMessage, Page, Position, Post, Published, QueueKey, View
from sukkal.testing.subject import QUEUE, Subject

__all__ = ["ALL", "OTHER", "ListeningContract", "look", "message", "publish"]

ALL = View(claimed=True, delayed=True)
OTHER = QueueKey(QUEUE.project, "another")


def message(subject: Subject) -> NewMessage:
    """Return a message that nobody has posted yet."""
    return NewMessage(id=subject.new_id(), body=b"1", ttl_s=60)


def publish(subject: Subject, **posts: tuple[NewMessage, ...]) -> Published:
    """Post messages to queues by name."""
    keys = {"queue": QUEUE, "other": OTHER}
    return subject.run(
        subject.engine.publish([Post(keys[name], each) for name, each in posts.items()], now_ms=subject.clock())
    )


def look(subject: Subject, sequence: int = 0, *, limit: int = 100, key: QueueKey = QUEUE) -> Page:
    """Return what was posted after a sequence."""
    return subject.run(
        subject.engine.browse(key, after=Position(0, sequence), limit=limit, view=ALL, now_ms=subject.clock())
    )


class ListeningContract:
    """What the contract says to those who listen to a queue by position."""

    def test_a_post_tells_where_its_messages_stand(self, subject: Subject) -> None:
        before = look(subject)
        assert (before.epoch, before.complete) == (0, True)
        published = publish(subject, queue=(message(subject), message(subject)), other=(message(subject),))
        page, other = look(subject), look(subject, key=OTHER)
        assert published.sequences == (
            tuple(each.sequence for each in page.messages),
            tuple(each.sequence for each in other.messages),
        )
        assert published.epochs == (page.epoch, other.epoch)
        assert 0 < page.epoch != other.epoch > 0
        assert before.last < min(published.sequences[0])
        assert page.last >= max(published.sequences[0])
        assert other.last >= max(published.sequences[1])

    def test_what_was_there_already_has_no_new_place(self, subject: Subject) -> None:
        first = message(subject)
        publish(subject, queue=(first,))
        again = publish(subject, queue=(first, message(subject)))
        assert again.sequences == ((0, look(subject).messages[1].sequence),)

    def test_whoever_saw_all_that_is_gone_has_missed_nothing(self, subject: Subject) -> None:
        subject.post(3)
        first, second, third = (each.sequence for each in look(subject).messages)
        assert look(subject).complete
        subject.claim(1, settle=True)
        assert not look(subject).complete
        assert not look(subject, first - 1).complete
        assert [each.sequence for each in look(subject, first).messages] == [second, third]
        assert look(subject, first).complete

    @pytest.mark.parametrize("at_once", [False, True])
    def test_it_does_not_matter_which_of_several_went_first(self, subject: Subject, *, at_once: bool) -> None:
        ids = subject.post(3)
        first, second, third = (each.sequence for each in look(subject).messages)
        gone = [[ids[1], ids[0]]] if at_once else [[ids[1]], [ids[0]]]
        for each in gone:
            subject.run(subject.engine.delete_messages(QUEUE, each, now_ms=subject.clock(), claimed=False))
        assert not look(subject, first).complete
        assert look(subject, second).complete
        assert [each.sequence for each in look(subject, second).messages] == [third]

    @pytest.mark.parametrize("way", ["pop", "delete", "ack", "acknowledge the rest", "expire", "expire and sweep"])
    def test_however_a_message_goes_it_is_noticed(self, subject: Subject, way: str) -> None:
        ids = subject.post(2, ttl_s=60)
        first, second = (each.sequence for each in look(subject).messages)
        later = subject.post(1, ttl_s=3_600)
        now_ms = subject.clock()
        if way == "pop":
            subject.claim(2, settle=True)
        elif way == "delete":
            subject.run(subject.engine.delete_messages(QUEUE, ids, now_ms=now_ms, claimed=False))
        elif way.startswith("ack"):
            claim, _ = subject.claim(2)
            acks, rest = (dict.fromkeys(ids, Ack()), None) if way == "ack" else ({}, Ack())
            subject.run(subject.engine.settle(QUEUE, claim, acks, rest=rest, now_ms=now_ms))
        else:
            subject.pass_s(60)
            if way == "expire and sweep":
                subject.sweep()
        assert [each.id for each in look(subject).messages] == later
        assert not look(subject).complete
        assert not look(subject, first).complete
        assert look(subject, second).complete

    def test_claimed_and_delayed_messages_are_not_gone(self, subject: Subject) -> None:
        subject.post(1)
        subject.post(1, delay_s=60)
        subject.claim(1)
        page = look(subject)
        assert len(page.messages) == 2
        assert page.complete

    def test_a_message_that_came_back_under_its_id_was_gone(self, subject: Subject) -> None:
        same = message(subject)
        publish(subject, queue=(same,))
        first = look(subject).messages[0].sequence
        subject.pass_s(60)
        publish(subject, queue=(same,))
        assert not look(subject).complete
        page = look(subject, first)
        assert page.complete
        assert len(page.messages) == 1

    @pytest.mark.parametrize("contents_only", [False, True])
    def test_a_queue_that_was_cleared_or_made_anew_has_another_epoch(
        self, subject: Subject, *, contents_only: bool
    ) -> None:
        subject.post(1)
        before = look(subject)
        subject.run(subject.engine.delete_queue(QUEUE, contents_only=contents_only))
        subject.post(1)
        after = look(subject)
        assert after.epoch not in (0, before.epoch)
        assert after.messages[0].sequence > before.last

    def test_nothing_was_given_up_behind_a_place_before_there_was_a_queue(self, subject: Subject) -> None:
        before = look(subject)
        subject.post(1)
        after = look(subject)
        assert before.dropped <= before.last < after.epoch
        assert after.dropped <= before.last

    @pytest.mark.parametrize("contents_only", [False, True])
    @pytest.mark.parametrize("made_anew", [False, True])
    def test_whatever_was_given_up_stays_known(self, subject: Subject, *, contents_only: bool, made_anew: bool) -> None:
        before = look(subject)
        subject.post(1)
        subject.run(subject.engine.delete_queue(QUEUE, contents_only=contents_only))
        if made_anew:
            subject.post(1)
        after = look(subject)
        assert before.last < after.dropped <= after.last
        subject.pass_s(3_600)
        subject.sweep()
        assert look(subject).dropped == after.dropped

    def test_a_queue_that_was_not_there_is_not_given_up(self, subject: Subject) -> None:
        before = look(subject)
        subject.run(subject.engine.delete_queue(QUEUE))
        assert look(subject).dropped <= before.last

    def test_a_change_of_the_metadata_changes_no_epoch(self, subject: Subject) -> None:
        subject.post(1)
        before = look(subject)
        subject.run(subject.engine.put_queue(QUEUE, {"a": 1}, revision=1, now_ms=subject.clock()))
        assert look(subject).epoch == before.epoch

    def test_a_gap_parts_what_comes_from_what_was_and_takes_nothing_away(self, subject: Subject) -> None:
        ids = subject.post(2)
        before = look(subject)
        subject.run(subject.engine.put_queue(QUEUE, {"a": 1}, revision=1, now_ms=subject.clock(), gap=True))
        after = look(subject, before.last)
        assert (after.epoch, after.messages, after.complete) == (before.epoch, (), False)
        assert [each.id for each in look(subject).messages] == ids
        assert not look(subject).complete
        assert after.last > before.last
        subject.post(1)
        page = look(subject, after.last)
        assert (len(page.messages), page.complete) == (1, True)

    def test_a_new_queue_may_begin_with_a_gap(self, subject: Subject) -> None:
        before = look(subject)
        subject.run(subject.engine.put_queue(QUEUE, {}, revision=None, now_ms=subject.clock(), gap=True))
        assert not look(subject, before.last).complete
        assert look(subject, look(subject).last).complete

    def test_a_write_that_is_refused_leaves_no_gap(self, subject: Subject) -> None:
        subject.post(1)
        before = look(subject)
        with pytest.raises(RevisionConflict):
            subject.run(subject.engine.put_queue(QUEUE, {}, revision=7, now_ms=subject.clock(), gap=True))
        assert look(subject, before.last).complete

    def test_behind_the_last_of_all_places_is_nothing(self, subject: Subject) -> None:
        subject.post(1)
        for place in (2**62, 2**63 - 1):
            assert look(subject, place).messages == ()

    def test_a_page_says_nothing_of_what_lies_before_it(self, subject: Subject) -> None:
        subject.post(5)
        sequences = [each.sequence for each in look(subject).messages]
        page = look(subject, sequences[1], limit=2)
        assert [each.sequence for each in page.messages] == sequences[2:4]
        assert page.complete
        assert page.next is not None
        assert page.next.sequence == sequences[3]

    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_what_expired_behind_the_page_is_noticed_as_well(self, subject: Subject, limit: int) -> None:
        for ttl_s in (300, 300, 60, 300):
            subject.post(ttl_s=ttl_s)
        first, _, third, _ = (each.sequence for each in look(subject).messages)
        subject.pass_s(60)
        assert not look(subject, limit=limit).complete
        assert not look(subject, first, limit=limit).complete
        assert look(subject, third, limit=limit).complete

    @pytest.mark.parametrize("became", ["nothing", "delayed", "never free", "claimed", "kept", "released", "set aside"])
    def test_what_expires_is_noticed_whatever_became_of_it(self, subject: Subject, became: str) -> None:
        subject.post(ttl_s=121, delay_s={"delayed": 40, "never free": 121}.get(became, 0))
        subject.post(ttl_s=3_600)
        subject.pass_s(7)
        if became in ("claimed", "kept", "released", "set aside"):
            most = 1 if became == "set aside" else None
            claim, _ = subject.claim(1, ttl_s=200 if became == "kept" else 60, max_attempts=most)
            subject.pass_s(3)
            if became == "released":
                subject.release(claim)
        first = look(subject).messages[0]
        subject.clock.advance(first.expires_ms - 1 - subject.clock())
        assert look(subject).complete
        subject.clock.advance(1)
        assert not look(subject).complete
        assert look(subject, first.sequence).complete

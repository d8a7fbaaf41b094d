"""Examples of the contract: claims, and that an ended one can do nothing any more."""

import pytest

from sukkal.errors import ClaimNotFound
from sukkal.model import Ack, NewClaim, Release
from sukkal.testing.subject import QUEUE, Subject

__all__ = ["ClaimContract"]


class ClaimContract:
    """What the contract says of claims."""

    def test_a_claim_takes_the_first_free_messages(self, subject: Subject) -> None:
        ids = subject.post(5)
        assert subject.claim(2)[1] == ids[:2]
        assert subject.claim(2)[1] == ids[2:4]
        assert subject.browse() == ids[4:]
        assert subject.browse(claimed=True) == ids

    def test_a_claim_that_finds_nothing_does_not_exist(self, subject: Subject) -> None:
        subject.post(1)
        subject.claim(1)
        claim_id, ids = subject.claim(1)
        assert ids == []
        assert subject.run(subject.engine.get_claim(QUEUE, claim_id, now_ms=subject.clock())) is None

    def test_what_comes_in_the_moment_of_a_claim_is_found_in_that_moment(self, subject: Subject) -> None:
        first = subject.post(1)
        claim_id, ids = subject.claim(5)
        assert ids == first
        second = subject.post(1)
        assert subject.browse() == second
        subject.release(claim_id)
        assert subject.claim(5)[1] == first + second
        assert subject.claim(5)[1] == []

    def test_the_messages_returned_show_their_claim(self, subject: Subject) -> None:
        subject.post(1)
        claim_id, (message,) = subject.claim_messages(ttl_s=60)
        assert (message.claim_id, message.attempts, message.visible_ms) == (claim_id, 1, subject.clock() + 60_000)
        assert subject.message(message.id) == message

    def test_a_claim_ends_at_its_time_and_not_before(self, subject: Subject) -> None:
        ids = subject.post(1)
        claim_id, _ = subject.claim(ttl_s=60)
        subject.pass_s(59.999)
        assert subject.claim()[1] == []
        assert subject.run(subject.engine.get_claim(QUEUE, claim_id, now_ms=subject.clock())) is not None
        subject.pass_s(0.001)
        assert subject.run(subject.engine.get_claim(QUEUE, claim_id, now_ms=subject.clock())) is None
        message = subject.message(ids[0])
        assert message is not None
        assert message.claim_id is None
        _, (again,) = subject.claim_messages()
        assert (again.id, again.attempts) == (ids[0], 2)

    def test_the_old_claim_cannot_settle_what_a_new_claim_holds(self, subject: Subject) -> None:
        ids = subject.post(1)
        old, _ = subject.claim(ttl_s=60)
        subject.pass_s(60)
        new, _ = subject.claim(ttl_s=60)
        with pytest.raises(ClaimNotFound):
            subject.settle(old, {ids[0]: Ack()})
        with pytest.raises(ClaimNotFound):
            subject.run(subject.engine.extend(QUEUE, old, ttl_s=60, grace_s=60, now_ms=subject.clock()))
        with pytest.raises(ClaimNotFound):
            subject.release(old)
        assert subject.settle(new, {ids[0]: Ack()}) == ["done"]

    def test_two_live_claims_cannot_settle_each_others_messages(self, subject: Subject) -> None:
        ids = subject.post(3)
        first, _ = subject.claim(1)
        second, _ = subject.claim(1)
        assert subject.settle(second, {ids[0]: Ack(), ids[1]: Ack(), ids[2]: Ack(), "unknown": Release()}) == [
            "other_claim",
            "done",
            "not_claimed",
            "missing",
        ]
        assert subject.all() == [ids[0], ids[2]]
        assert subject.settle(first, {ids[0]: Release()}) == ["done"]

    def test_a_released_message_goes_back_to_its_place(self, subject: Subject) -> None:
        ids = []
        for _ in range(4):
            ids += subject.post()
            subject.pass_s(1)
        claim_id, _ = subject.claim(3)
        assert subject.settle(claim_id, {ids[1]: Release()}) == ["done"]
        assert subject.browse() == [ids[1], ids[3]]
        held = subject.run(subject.engine.get_claim(QUEUE, claim_id, now_ms=subject.clock()))
        assert held is not None
        assert [message.id for message in held.messages] == [ids[0], ids[2]]
        subject.release(claim_id)
        assert subject.browse() == ids
        assert subject.run(subject.engine.get_claim(QUEUE, claim_id, now_ms=subject.clock())) is None

    def test_a_message_released_with_a_delay_is_free_after_it(self, subject: Subject) -> None:
        ids = subject.post(2)
        claim_id, _ = subject.claim(1)
        subject.settle(claim_id, {ids[0]: Release(delay_s=5)})
        assert subject.run(subject.engine.next_due(QUEUE, now_ms=subject.clock())) == subject.clock() + 5_000
        subject.pass_s(4.999)
        assert subject.browse() == ids[1:]
        assert subject.browse(delayed=True) == ids
        subject.pass_s(0.001)
        assert subject.browse() == [ids[1], ids[0]]

    def test_a_message_released_twice_is_not_claimed_the_second_time(self, subject: Subject) -> None:
        ids = subject.post(1)
        claim_id, _ = subject.claim()
        subject.settle(claim_id, {ids[0]: Release()})
        assert subject.settle(claim_id, {ids[0]: Ack()}) == ["not_claimed"]
        assert subject.all() == ids

    def test_settling_the_rest_ends_the_claim(self, subject: Subject) -> None:
        ids = subject.post(3)
        claim_id, _ = subject.claim(3)
        settle = subject.engine.settle(QUEUE, claim_id, {ids[0]: Release()}, now_ms=subject.clock(), rest=Ack())
        assert len(subject.run(settle)) == 1
        assert subject.all() == ids[:1]
        with pytest.raises(ClaimNotFound):
            subject.release(claim_id)

    def test_a_message_outlives_its_claim_by_the_grace(self, subject: Subject) -> None:
        subject.post(1, ttl_s=60)
        _, (message,) = subject.claim_messages(ttl_s=300, grace_s=100)
        assert (message.ttl_s, message.expires_ms) == (400, subject.clock() + 400_000)
        subject.pass_s(399.999)
        assert len(subject.all()) == 1
        subject.pass_s(0.001)
        assert subject.all() == []

    def test_a_message_that_lives_long_enough_keeps_its_life(self, subject: Subject) -> None:
        subject.post(1, ttl_s=300)
        _, (message,) = subject.claim_messages(ttl_s=300, grace_s=100)
        assert (message.ttl_s, message.expires_ms) == (300, subject.clock() + 300_000)

    def test_extending_begins_the_time_anew_for_what_is_still_held(self, subject: Subject) -> None:
        ids = subject.post(2, ttl_s=100)
        claim_id, _ = subject.claim(2, ttl_s=60)
        subject.settle(claim_id, {ids[0]: Release()})
        subject.pass_s(50)
        subject.run(subject.engine.extend(QUEUE, claim_id, ttl_s=70, grace_s=30, now_ms=subject.clock()))
        held = subject.run(subject.engine.get_claim(QUEUE, claim_id, now_ms=subject.clock()))
        assert held is not None
        claim = held.claim
        assert (claim.ttl_s, claim.grace_s, claim.created_ms) == (70, 30, subject.clock())
        assert [(message.id, message.ttl_s) for message in held.messages] == [(ids[1], 100)]
        assert held.messages[0].expires_ms == subject.clock() + 100_000
        subject.pass_s(69.999)
        assert subject.browse() == []
        subject.pass_s(0.001)
        assert subject.browse() == [ids[1]]

    def test_a_claim_can_be_made_shorter(self, subject: Subject) -> None:
        ids = subject.post(1)
        claim_id, _ = subject.claim(ttl_s=200)
        subject.run(subject.engine.extend(QUEUE, claim_id, ttl_s=1, grace_s=0, now_ms=subject.clock()))
        subject.pass_s(1)
        assert subject.claim()[1] == ids

    def test_messages_whose_claims_ended_come_in_the_order_of_those_ends(self, subject: Subject) -> None:
        ids = subject.post(3, ttl_s=3_600)
        subject.claim(1, ttl_s=90)
        subject.claim(1, ttl_s=60)
        subject.pass_s(100)
        assert subject.browse() == [ids[2], ids[1], ids[0]]
        assert subject.claim(3)[1] == [ids[2], ids[1], ids[0]]

    def test_live_claims_are_listed_by_id(self, subject: Subject) -> None:
        subject.post(3)
        first, second, third = (subject.claim(1, ttl_s=60 + 60 * number)[0] for number in range(3))
        subject.pass_s(60)

        def listed(after: str, limit: int) -> list[str]:
            claims = subject.run(subject.engine.list_claims(QUEUE, after=after, limit=limit, now_ms=subject.clock()))
            return [claim.id for claim in claims]

        assert first < second < third
        assert listed("", 5) == [second, third]
        assert listed("", 1) == [second]
        assert listed(second, 5) == [third]

    def test_a_pop_leaves_neither_messages_nor_a_claim(self, subject: Subject) -> None:
        ids = subject.post(3, ttl_s=61)
        claim_id, messages = subject.claim_messages(2, ttl_s=0, grace_s=0, settle=True)
        assert [(message.id, message.claim_id, message.ttl_s) for message in messages] == [
            (id_, claim_id, 61) for id_ in ids[:2]
        ]
        assert subject.all() == ids[2:]
        assert subject.run(subject.engine.get_claim(QUEUE, claim_id, now_ms=subject.clock())) is None

    def test_a_message_claimed_too_often_is_set_aside(self, subject: Subject) -> None:
        ids = subject.post(2)
        for _ in range(2):
            claim_id, taken = subject.claim(1, max_attempts=2)
            assert taken == ids[:1]
            assert subject.run(subject.engine.due_queues(now_ms=subject.clock(), limit=5)) == ()
            subject.release(claim_id)
        assert subject.claim(5, max_attempts=2)[1] == ids[1:]
        assert subject.claim(5)[1] == []
        assert subject.browse() == []
        assert subject.message(ids[0]) is not None
        assert subject.run(subject.engine.due_queues(now_ms=subject.clock(), limit=5)) == (QUEUE,)
        claim_id, (message,) = subject.claim_messages(5, set_aside=True)
        assert (message.id, message.attempts) == (ids[0], 2)
        assert subject.run(subject.engine.due_queues(now_ms=subject.clock(), limit=5)) == ()
        subject.release(claim_id)
        assert subject.claim(5)[1] == []
        claim_id, _ = subject.claim(5, set_aside=True)
        subject.release(claim_id, revive=True)
        assert subject.claim(5)[1] == ids[:1]

    def test_the_last_claim_still_settles_and_its_end_sets_the_message_aside(self, subject: Subject) -> None:
        ids = subject.post(2)
        claim_id, taken = subject.claim(2, max_attempts=1, ttl_s=60)
        assert taken == ids
        assert subject.settle(claim_id, {ids[0]: Ack()}) == ["done"]
        subject.pass_s(60)
        assert subject.claim(5)[1] == []
        assert subject.claim(5, set_aside=True)[1] == ids[1:]

    def test_a_lowered_limit_sets_aside_what_has_been_claimed_that_often(self, subject: Subject) -> None:
        ids = subject.post(6)
        for _ in range(2):
            claim_id, _ = subject.claim(3)
            subject.release(claim_id)
        assert subject.claim(2, max_attempts=2)[1] == ids[3:5]
        assert subject.claim(5, set_aside=True)[1] == ids[:3]

    def test_claims_made_at_the_same_time_share_nothing(self, subject: Subject) -> None:
        ids = subject.post(100)
        news = [NewClaim(id=subject.new_id(), ttl_s=60, grace_s=60) for _ in range(30)]
        taken = subject.together(*(subject.engine.claim(QUEUE, new, limit=7, now_ms=subject.clock()) for new in news))
        assert sorted(message.id for messages in taken for message in messages) == ids

    def test_a_claim_behind_thousands_of_dead_messages_finds_the_living(self, subject: Subject) -> None:
        for _ in range(4):
            subject.post(1_000, ttl_s=60)
        subject.pass_s(30)
        for _ in range(3):
            subject.post(1_000, ttl_s=3_600)
        subject.pass_s(30)
        assert len(subject.claim(2_999, ttl_s=600)[1]) == 2_999
        ids = subject.post(1)
        assert len(subject.claim(10)[1]) == 2
        assert subject.claim(10)[1] == []
        assert ids[0] in subject.all()

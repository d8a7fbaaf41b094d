"""Examples of the contract: removing a queue that nobody uses, and only then."""

from sukkal.model import Ack, Idle, NewMessage, Post, Subscription, View
from sukkal.testing.subject import QUEUE, Subject

__all__ = ["IdleContract"]


def _found(subject: Subject) -> Idle:
    """Return the queue as it is now."""
    page = subject.run(
        subject.engine.browse(QUEUE, after=None, limit=1, view=View(claimed=True, delayed=True), now_ms=subject.clock())
    )
    queue = subject.run(subject.engine.get_queue(QUEUE))
    assert queue is not None
    return Idle(revision=queue.revision, last=page.last)


def _removed(subject: Subject, idle: Idle) -> bool:
    """Remove the queue if it is still as it was found, and tell whether it is gone."""
    told = subject.run(subject.engine.delete_queue(QUEUE, idle=idle, now_ms=subject.clock()))
    gone = subject.run(subject.engine.get_queue(QUEUE)) is None
    assert told is gone
    return gone


class IdleContract:
    """What the contract says of queues that nobody uses."""

    def test_an_idle_queue_goes_with_all_that_is_in_it(self, subject: Subject) -> None:
        subject.post(3)
        subject.post(1, delay_s=60)
        assert _removed(subject, _found(subject))
        assert subject.all() == []
        assert not subject.run(subject.engine.delete_queue(QUEUE))

    def test_a_queue_that_was_posted_to_meanwhile_stays(self, subject: Subject) -> None:
        subject.post()
        idle = _found(subject)
        ids = subject.post()
        assert not _removed(subject, idle)
        assert subject.all()[1:] == ids

    def test_a_queue_stays_also_if_what_was_posted_meanwhile_is_gone(self, subject: Subject) -> None:
        subject.run(subject.engine.put_queue(QUEUE, {}, revision=None, now_ms=subject.clock()))
        idle = _found(subject)
        subject.post(ttl_s=60)
        subject.claim(settle=True)
        assert not _removed(subject, idle)
        assert _removed(subject, _found(subject))

    def test_a_queue_that_was_changed_meanwhile_stays(self, subject: Subject) -> None:
        subject.run(subject.engine.put_queue(QUEUE, {}, revision=None, now_ms=subject.clock()))
        idle = _found(subject)
        subject.run(subject.engine.put_queue(QUEUE, {"a": 1}, revision=1, now_ms=subject.clock()))
        assert not _removed(subject, idle)

    def test_a_queue_that_was_made_anew_or_cleared_meanwhile_stays(self, subject: Subject) -> None:
        subject.run(subject.engine.put_queue(QUEUE, {}, revision=None, now_ms=subject.clock()))
        for contents_only in (True, False):
            idle = _found(subject)
            subject.run(subject.engine.delete_queue(QUEUE, contents_only=contents_only))
            if not contents_only:
                subject.run(subject.engine.put_queue(QUEUE, {}, revision=None, now_ms=subject.clock()))
            assert not _removed(subject, idle)

    def test_a_queue_with_a_live_claim_stays_until_that_has_ended(self, subject: Subject) -> None:
        subject.post(ttl_s=3_600)
        subject.claim(ttl_s=60)
        subject.pass_s(59.999)
        assert not _removed(subject, _found(subject))
        subject.pass_s(0.001)
        assert _removed(subject, _found(subject))

    def test_a_live_claim_that_holds_nothing_any_more_keeps_no_queue(self, subject: Subject) -> None:
        subject.post(3, ttl_s=3_600)
        claim_id, (first, *rest) = subject.claim(ttl_s=60)
        subject.settle(claim_id, {first: Ack()})
        assert not _removed(subject, _found(subject))
        subject.settle(claim_id, dict.fromkeys(rest, Ack()))
        assert _removed(subject, _found(subject))

    def test_beside_claims_that_hold_nothing_one_that_does_keeps_the_queue(self, subject: Subject) -> None:
        subject.post(3, ttl_s=3_600)
        claims = [subject.claim(1, ttl_s=60) for _ in range(3)]
        for claim_id, [id_] in (claims[0], claims[2]):
            subject.settle(claim_id, {id_: Ack()})
        assert not _removed(subject, _found(subject))
        claim_id, [id_] = claims[1]
        subject.settle(claim_id, {id_: Ack()})
        assert _removed(subject, _found(subject))

    def test_a_queue_with_a_subscription_stays(self, subject: Subject) -> None:
        now_ms = subject.clock()
        subscription = Subscription(
            id="s",
            queue=QUEUE,
            subscriber="http://x/",
            ttl_s=60,
            options={},
            confirmed=True,
            created_ms=now_ms,
            expires_ms=now_ms + 60_000,
        )
        subject.run(subject.engine.put_subscription(subscription, revision=None, now_ms=now_ms))
        assert not _removed(subject, _found(subject))
        subject.run(subject.engine.delete_subscription(QUEUE, "s"))
        assert _removed(subject, _found(subject))

    def test_what_happens_elsewhere_keeps_no_queue(self, subject: Subject) -> None:
        subject.post()
        idle = _found(subject)
        other = QUEUE._replace(name="other")
        subject.post(key=other)
        subject.claim(key=other)
        message = NewMessage(id="id", body=b"1", ttl_s=60)
        subject.run(subject.engine.publish((Post(other, (message,)),), now_ms=subject.clock()))
        assert _removed(subject, idle)
        assert len(subject.all(key=other)) == 2

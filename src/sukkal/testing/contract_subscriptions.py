"""The part of the contract that is about subscriptions and their backlogs."""

import pytest

from sukkal.errors import ClaimNotFound, RevisionConflict, SubscriptionExists
from sukkal.model import Ack, Bury, Deleted, NewClaim, NewMessage, Post, QueueKey, Release, Stats, Subscription
from sukkal.testing.subject import QUEUE, Subject

__all__ = ["SubscriptionContract", "due", "listed", "post", "put", "subscribe", "wanted"]

OTHER = QueueKey("project", "other")
_FOR_EVER_S = 220_367_260_800


def wanted(
    subject: Subject, subscriber: str = "http://a/", *, key: QueueKey = QUEUE, ttl_s: int = 3_600
) -> Subscription:
    """Return a subscription that is still to be put."""
    now_ms = subject.clock()
    return Subscription(
        id=subject.new_id(),
        queue=key,
        subscriber=subscriber,
        ttl_s=ttl_s,
        options={"a": [1, {"b": None}]},
        confirmed=False,
        created_ms=now_ms,
        expires_ms=now_ms + ttl_s * 1_000,
    )


def put(subject: Subject, subscription: Subscription, revision: int | None = None) -> Subscription:
    """Create or replace a subscription."""
    return subject.run(subject.engine.put_subscription(subscription, revision=revision, now_ms=subject.clock()))


def subscribe(subject: Subject, subscriber: str = "http://a/", **more: object) -> Subscription:
    """Create a subscription and return it."""
    return put(subject, wanted(subject, subscriber, **more))  # type: ignore[arg-type]


def listed(subject: Subject, key: QueueKey = QUEUE, **more: object) -> list[Subscription]:
    """List the subscriptions of a queue."""
    given: dict[str, object] = {"after": "", "limit": 100} | more
    found = subject.engine.list_subscriptions(key, now_ms=subject.clock(), **given)  # type: ignore[arg-type]
    return list(subject.run(found))


def post(subject: Subject, *keys: QueueKey) -> str:
    """Post a message to several queues at once and return its id."""
    message = NewMessage(id=subject.new_id(), body=b"1", ttl_s=300, attributes=b'{"x":1}')
    subject.run(subject.engine.publish([Post(key, (message,)) for key in keys], now_ms=subject.clock()))
    return message.id


def due(subject: Subject, *, limit: int = 100, after: QueueKey | None = None) -> list[QueueKey]:
    """Return backlogs that have something to deliver."""
    found = subject.engine.due_queues(now_ms=subject.clock(), limit=limit, backlogs=True, after=after)
    return list(subject.run(found))


class SubscriptionContract:
    """What every engine does with subscriptions."""

    def test_a_subscription_is_kept_as_it_is_given_and_makes_its_queue(self, subject: Subject) -> None:
        given = wanted(subject, ttl_s=_FOR_EVER_S)
        stored = put(subject, given)
        assert stored.revision == 1
        assert listed(subject) == [stored]
        assert listed(subject, OTHER) == []
        queue = subject.run(subject.engine.get_queue(QUEUE))
        assert queue is not None
        assert (queue.metadata, queue.subscriptions) == ({}, 1)
        assert stored.options == given.options

    def test_subscriptions_are_listed_by_id(self, subject: Subject) -> None:
        ids = [subscribe(subject, f"http://{number}/").id for number in range(7)]
        assert [each.id for each in listed(subject, limit=3)] == ids[:3]
        assert [each.id for each in listed(subject, after=ids[2])] == ids[3:]
        assert [each.id for each in listed(subject, ids=(ids[5], ids[1], "none"))] == [ids[1], ids[5]]
        assert [each.id for each in listed(subject, subscriber="http://4/")] == [ids[4]]
        assert listed(subject, subscriber="http://none/") == []

    def test_subscriptions_are_found_by_ids_and_subscriber_together(self, subject: Subject) -> None:
        one, two = subscribe(subject), subscribe(subject, "http://b/")
        assert listed(subject, ids=(two.id, one.id)) == [one, two]
        assert listed(subject, ids=(one.id, "none"), subscriber="http://a/") == [one]
        assert listed(subject, ids=(one.id,), subscriber="http://b/") == []
        assert listed(subject, ids=(), subscriber="http://b/") == []

    def test_a_subscriber_has_one_subscription_of_a_queue(self, subject: Subject) -> None:
        first = subscribe(subject)
        with pytest.raises(SubscriptionExists) as refused:
            subscribe(subject)
        assert refused.value.existing == first
        assert subscribe(subject, key=OTHER).id != first.id
        second = subscribe(subject, "http://b/")
        with pytest.raises(SubscriptionExists):
            put(subject, _changed(second, subscriber="http://a/"), second.revision)
        assert [each.subscriber for each in listed(subject)] == ["http://a/", "http://b/"]

    def test_a_subscription_is_changed_by_who_has_read_it_last(self, subject: Subject) -> None:
        first = subscribe(subject)
        second = put(subject, _changed(first, subscriber="http://c/", confirmed=True), first.revision)
        assert (second.revision, second.confirmed, second.id) == (2, True, first.id)
        for revision in (1, 3, None):
            with pytest.raises(RevisionConflict):
                put(subject, first, revision)
        assert listed(subject) == [second]
        subject.run(subject.engine.delete_subscription(QUEUE, first.id))
        with pytest.raises(RevisionConflict):
            put(subject, second, second.revision)
        assert listed(subject) == []

    def test_an_expired_subscription_is_nowhere_and_makes_room(self, subject: Subject) -> None:
        first = subscribe(subject, ttl_s=60)
        subject.pass_s(60)
        assert listed(subject) == []
        assert listed(subject, ids=(first.id,)) == []
        second = subscribe(subject, ttl_s=60)
        assert listed(subject) == [second]
        subject.sweep()
        assert listed(subject) == [second]
        subject.pass_s(60)
        subject.sweep()
        queue = subject.run(subject.engine.get_queue(QUEUE))
        assert queue is not None
        assert queue.subscriptions == 0

    def test_a_post_reaches_the_queue_and_the_backlogs_at_once(self, subject: Subject) -> None:
        first, second = subscribe(subject), subscribe(subject, "http://b/")
        id_ = post(subject, QUEUE, first.backlog, second.backlog)
        for key in (QUEUE, first.backlog, second.backlog):
            assert subject.all(key=key) == [id_]
        assert set(due(subject)) == {first.backlog, second.backlog}
        claim_id, ids = subject.claim(key=first.backlog)
        assert ids == [id_]
        assert due(subject) == [second.backlog]
        subject.release(claim_id, key=first.backlog, delay_s=100)
        assert due(subject) == [second.backlog]
        subject.pass_s(100)
        assert set(due(subject)) == {first.backlog, second.backlog}

    def test_backlogs_are_found_a_page_at_a_time(self, subject: Subject) -> None:
        backlogs = {subscribe(subject, f"http://{number}/").backlog for number in range(7)}
        idle = subscribe(subject, "http://idle/")
        post(subject, *backlogs)
        post(subject, *backlogs)
        found: list[QueueKey] = []
        while page := due(subject, limit=3, after=found[-1] if found else None):
            found += page
        assert len(found) == len(backlogs)
        assert set(found) == backlogs
        assert idle.backlog not in found

    def test_a_backlog_does_not_come_back_by_posting(self, subject: Subject) -> None:
        subscription = subscribe(subject)
        post(subject, subscription.backlog)
        subject.run(subject.engine.delete_subscription(QUEUE, subscription.id))
        assert post(subject, QUEUE, subscription.backlog) in subject.all()
        assert subject.all(key=subscription.backlog) == []
        assert due(subject) == []
        assert subject.run(subject.engine.get_queue(subscription.backlog)) is None

    def test_deleting_says_whether_there_was_one(self, subject: Subject) -> None:
        subscription = subscribe(subject)
        delete = subject.engine.delete_subscription
        assert subject.run(delete(OTHER, subscription.id)) is False
        assert subject.run(delete(QUEUE, subscription.id)) is True
        assert subject.run(delete(QUEUE, subscription.id)) is False

    def test_deleting_a_queue_takes_its_subscriptions_along_clearing_it_does_not(self, subject: Subject) -> None:
        subscription, other = subscribe(subject), subscribe(subject, key=OTHER)
        post(subject, QUEUE, subscription.backlog, other.backlog)
        subject.run(subject.engine.delete_queue(QUEUE, contents_only=True))
        assert listed(subject) == [subscription]
        assert set(due(subject)) == {subscription.backlog, other.backlog}
        subject.run(subject.engine.delete_queue(QUEUE))
        assert listed(subject) == []
        assert due(subject) == [other.backlog]
        subscribe(subject)
        assert due(subject) == [other.backlog]

    def test_the_backlog_of_an_expired_subscription_is_invisible_before_the_sweep(self, subject: Subject) -> None:
        subscription, other = subscribe(subject, ttl_s=60), subscribe(subject, "http://b/")
        key, engine = subscription.backlog, subject.engine
        first, second = post(subject, key, other.backlog), post(subject, key)
        claim_id, held = subject.claim(key=key, limit=1)
        assert held == [first]
        subject.pass_s(59)
        assert set(due(subject)) == {key, other.backlog}
        subject.pass_s(1)
        now_ms = subject.clock()
        assert due(subject) == [other.backlog]
        assert subject.all(key=key) == []
        assert subject.message(second, key=key) is None
        assert subject.claim(key=key)[1] == []
        assert subject.run(engine.get_claim(key, claim_id, now_ms=now_ms)) is None
        assert subject.run(engine.list_claims(key, after="", limit=9, now_ms=now_ms)) == ()
        assert subject.run(engine.next_due(key, now_ms=now_ms)) is None
        assert subject.run(engine.stats(key, now_ms=now_ms)) == Stats()
        gone = subject.run(engine.delete_messages(key, [second], now_ms=now_ms, claimed=True))
        assert gone == {second: Deleted.MISSING}
        with pytest.raises(ClaimNotFound):
            subject.run(engine.extend(key, claim_id, ttl_s=60, grace_s=60, now_ms=now_ms))
        with pytest.raises(ClaimNotFound):
            subject.settle(claim_id, {first: Ack()}, key=key)
        post(subject, key)
        assert subject.all(key=key) == []

    def test_a_backlog_lasts_as_long_as_its_subscription_is_renewed(self, subject: Subject) -> None:
        subscription = subscribe(subject, ttl_s=60)
        id_ = post(subject, subscription.backlog)
        put(subject, _changed(subscription, expires_ms=subscription.expires_ms + 60_000), subscription.revision)
        subject.pass_s(119)
        subject.sweep()
        assert subject.all(key=subscription.backlog) == [id_]
        subject.pass_s(1)
        assert subject.all(key=subscription.backlog) == []

    def test_a_subscription_in_the_place_of_an_expired_one_begins_with_nothing(self, subject: Subject) -> None:
        first = subscribe(subject, ttl_s=60)
        post(subject, first.backlog)
        subject.pass_s(60)
        again = put(subject, _changed(first, expires_ms=subject.clock() + 60_000))
        assert subject.all(key=again.backlog) == []
        assert due(subject) == []
        id_ = post(subject, again.backlog)
        subject.sweep()
        assert subject.all(key=again.backlog) == [id_]
        queue = subject.run(subject.engine.get_queue(QUEUE))
        assert queue is not None
        assert queue.subscriptions == 1

    def test_every_listing_is_that_of_the_moment(self, subject: Subject) -> None:
        first, second = subscribe(subject, ttl_s=60), subscribe(subject, "http://b/")
        assert listed(subject) == [first, second]
        changed = put(subject, _changed(second, options={"b": 2}), second.revision)
        assert listed(subject) == [first, changed]
        assert listed(subject, ids=(second.id,)) == [changed]
        third = subscribe(subject, "http://c/")
        assert listed(subject) == [first, changed, third]
        assert listed(subject, after=first.id, limit=1) == [changed]
        subject.pass_s(60)
        assert listed(subject) == [changed, third]
        subject.sweep()
        assert listed(subject) == [changed, third]
        subject.run(subject.engine.delete_subscription(QUEUE, third.id))
        assert listed(subject) == [changed]
        assert listed(subject, subscriber="http://c/") == []
        subject.run(subject.engine.delete_queue(QUEUE))
        assert listed(subject) == []
        again = subscribe(subject)
        assert listed(subject) == [again]

    def test_the_backlog_of_an_expired_subscription_is_swept(self, subject: Subject) -> None:
        subscription = subscribe(subject, ttl_s=60)
        post(subject, subscription.backlog)
        subject.pass_s(60)
        subject.sweep()
        assert due(subject) == []
        assert subject.all(key=subscription.backlog) == []

    def test_what_is_buried_waits_for_somebody_who_looks_for_it(self, subject: Subject) -> None:
        subscription = subscribe(subject)
        key = subscription.backlog
        id_ = post(subject, key)
        claim_id, _ = subject.claim(key=key)
        subject.settle(claim_id, {id_: Bury(attributes=b'{"why":1}')}, key=key)
        assert due(subject) == []
        subject.pass_s(100)
        assert subject.claim(key=key)[1] == []
        assert subject.run(subject.engine.due_queues(now_ms=subject.clock(), limit=10)) == ()
        message = subject.message(id_, key=key)
        assert message is not None
        assert message.attributes == b'{"why":1}'
        new = NewClaim(id=subject.new_id(), ttl_s=60, grace_s=60)
        found = subject.run(subject.engine.claim(key, new, limit=5, now_ms=subject.clock(), set_aside=True))
        assert [each.id for each in found] == [id_]
        subject.settle(new.id, {id_: Release(revive=True, attributes=b"{}")}, key=key)
        assert due(subject) == [key]
        _, (again,) = subject.claim_messages(key=key)
        assert (again.id, again.attributes) == (id_, b"{}")

    def test_releasing_keeps_the_attributes_unless_others_are_given(self, subject: Subject) -> None:
        subscription = subscribe(subject)
        id_ = post(subject, subscription.backlog)
        for given, expected in ((None, b'{"x":1}'), (b'{"x":2}', b'{"x":2}'), (None, b'{"x":2}')):
            claim_id, _ = subject.claim(key=subscription.backlog)
            subject.settle(claim_id, {id_: Release(attributes=given)}, key=subscription.backlog)
            message = subject.message(id_, key=subscription.backlog)
            assert message is not None
            assert message.attributes == expected

    def test_backlogs_are_no_queues_of_the_project(self, subject: Subject) -> None:
        subscription = subscribe(subject)
        post(subject, QUEUE, subscription.backlog)
        for kind, names in (("queue", ["queue"]), ("topic", [])):
            page = subject.run(
                subject.engine.list_queues("project", kind, after="", limit=10, total=True)  # type: ignore[arg-type]
            )
            assert [queue.key.name for queue in page.queues] == names
            assert page.total == len(names)
        usage = subject.run(subject.engine.usage("project", now_ms=subject.clock()))
        assert (usage.queues, usage.messages, usage.subscriptions) == (1, 1, 1)


def _changed(subscription: Subscription, **changes: object) -> Subscription:
    values = {name: getattr(subscription, name) for name in subscription.__struct_fields__}
    return Subscription(**(values | changes))

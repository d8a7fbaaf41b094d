"""Examples of the contract: what a project keeps."""

from sukkal.model import NewMessage, Post, QueueKey, Usage
from sukkal.testing.contract_subscriptions import subscribe
from sukkal.testing.subject import QUEUE, Subject

__all__ = ["AccountContract"]


class AccountContract:
    """What the contract says of accounts."""

    def test_a_project_that_nobody_used_keeps_nothing(self, subject: Subject) -> None:
        subject.post()
        assert _usage(subject, "nobody") == Usage(queues=0, messages=0, bytes=0)

    def test_usage_is_that_of_all_queues_and_topics_of_the_project_and_of_no_other(self, subject: Subject) -> None:
        subject.run(subject.engine.put_queue(QUEUE._replace(name="empty"), {}, revision=None, now_ms=subject.clock()))
        _post_bodies(subject, QUEUE, b'"1234"', '"ü"'.encode())
        _post_bodies(subject, QUEUE._replace(kind="topic"), b"0" * 10_000)
        _post_bodies(subject, QueueKey("other", "queue"), b"1", b"22")
        assert _usage(subject) == Usage(queues=3, messages=3, bytes=10_010)
        assert _usage(subject, "other") == Usage(queues=1, messages=2, bytes=3)

    def test_what_a_history_keeps_counts_but_is_no_queue(self, subject: Subject) -> None:
        _post_bodies(subject, QUEUE, b"12")
        _post_bodies(subject, QUEUE._replace(name="queue/queue", kind="history"), b"12", b"345")
        assert _usage(subject) == Usage(queues=1, messages=3, bytes=7)

    def test_what_waits_for_a_subscriber_does_not_count(self, subject: Subject) -> None:
        backlog = subscribe(subject).backlog
        before = _usage(subject)
        _post_bodies(subject, backlog, b"12")
        assert _usage(subject) == before
        assert (before.messages, before.subscriptions) == (0, 1)

    def test_the_messages_of_one_queue_can_be_counted_also_of_a_hidden_one(self, subject: Subject) -> None:
        backlog = subscribe(subject).backlog
        assert _usage_of(subject, backlog) == _usage_of(subject, QUEUE._replace(name="nobody's")) == Usage()
        _post_bodies(subject, QUEUE, b"1")
        _post_bodies(subject, backlog, b"1234", '"ü"'.encode())
        subject.post(1, key=backlog, ttl_s=300)
        subject.claim(1, key=backlog, ttl_s=60, max_attempts=1)
        assert _usage_of(subject, backlog) == Usage(messages=3, bytes=8 + len(b'{"n": 0}'))
        subject.pass_s(120)
        assert _usage_of(subject, backlog) == Usage(messages=1, bytes=len(b'{"n": 0}'))

    def test_claimed_and_delayed_messages_count_and_consumed_ones_do_not(self, subject: Subject) -> None:
        subject.post(5)
        subject.post(2, delay_s=60)
        subject.claim(3)
        assert _usage(subject).messages == 7
        subject.claim(1, settle=True)
        assert _usage(subject) == Usage(queues=1, messages=6, bytes=6 * len(b'{"n": 0}'))

    def test_a_message_counts_until_it_expires_swept_or_not(self, subject: Subject) -> None:
        subject.post(2, ttl_s=60)
        subject.post(3, ttl_s=300)
        subject.claim(1, ttl_s=90, grace_s=10)
        subject.pass_s(59.999)
        assert _usage(subject).messages == 5
        subject.pass_s(0.001)
        assert _usage(subject).messages == 4
        subject.sweep()
        assert _usage(subject).messages == 4
        subject.pass_s(40)
        assert _usage(subject).messages == 3

    def test_what_a_deleted_or_cleared_queue_held_does_not_count(self, subject: Subject) -> None:
        for name in ("deleted", "cleared"):
            subject.post(2, key=QUEUE._replace(name=name))
        subject.run(subject.engine.delete_queue(QUEUE._replace(name="deleted")))
        subject.run(subject.engine.delete_queue(QUEUE._replace(name="cleared"), contents_only=True))
        assert _usage(subject) == Usage(queues=1, messages=0, bytes=0)


def _usage(subject: Subject, project: str = QUEUE.project) -> Usage:
    return subject.run(subject.engine.usage(project, now_ms=subject.clock()))


def _usage_of(subject: Subject, key: QueueKey) -> Usage:
    return subject.run(subject.engine.usage_of(key, now_ms=subject.clock()))


def _post_bodies(subject: Subject, key: QueueKey, *bodies: bytes) -> None:
    messages = tuple(NewMessage(id=subject.new_id(), body=body, ttl_s=60) for body in bodies)
    subject.run(subject.engine.publish((Post(key, messages),), now_ms=subject.clock()))

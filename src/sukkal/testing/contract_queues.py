"""Examples of the contract: queues, and that they are apart."""

import pytest

from sukkal.errors import RevisionConflict
from sukkal.model import Deleted, QueueKey
from sukkal.testing.subject import QUEUE, Subject

__all__ = ["QueueContract"]

_OTHERS = (QueueKey("other", "queue"), QueueKey("project", "queue", "topic"), QueueKey("project", "queue2"))


class QueueContract:
    """What the contract says of queues."""

    def test_a_queue_that_nobody_made_is_not_there(self, subject: Subject) -> None:
        assert subject.run(subject.engine.get_queue(QUEUE)) is None
        assert subject.run(subject.engine.stats(QUEUE, now_ms=subject.clock())).total == 0
        assert subject.claim()[1] == []
        assert subject.all() == []

    def test_metadata_come_back_as_they_were_written(self, subject: Subject) -> None:
        metadata = {"ü": [1, 2.5, None, True, {"deep": "x"}], "_default_message_ttl": 60, "": ""}
        subject.run(subject.engine.put_queue(QUEUE, metadata, revision=None, now_ms=5))
        metadata["later"] = "change"
        queue = subject.run(subject.engine.get_queue(QUEUE))
        assert queue is not None
        del metadata["later"]
        assert (queue.metadata, queue.revision, queue.created_ms) == (metadata, 1, 5)

    def test_only_the_writer_who_knows_the_revision_may_replace_metadata(self, subject: Subject) -> None:
        engine = subject.engine
        subject.run(engine.put_queue(QUEUE, {"a": 1}, revision=None, now_ms=5))
        subject.run(engine.put_queue(QUEUE, {"a": 2}, revision=1, now_ms=6))
        for stale in (1, None):
            with pytest.raises(RevisionConflict):
                subject.run(engine.put_queue(QUEUE, {"a": 3}, revision=stale, now_ms=7))
        queue = subject.run(engine.get_queue(QUEUE))
        assert queue is not None
        assert (queue.metadata, queue.revision, queue.created_ms) == ({"a": 2}, 2, 5)

    def test_posting_creates_a_queue_without_metadata(self, subject: Subject) -> None:
        subject.post()
        queue = subject.run(subject.engine.get_queue(QUEUE))
        assert queue is not None
        assert (queue.metadata, queue.revision, queue.created_ms) == ({}, 1, subject.clock())

    def test_queues_are_listed_by_name_page_by_page_with_their_number(self, subject: Subject) -> None:
        names = ["a", "b", "b.c", "b_d", "Z", "0"]
        for name in names:
            subject.post(key=QUEUE._replace(name=name))
        subject.post(key=QueueKey("other", "x"))
        subject.post(key=QUEUE._replace(name="t", kind="topic"))
        listed: list[str] = []
        while True:
            after = listed[-1] if listed else ""
            page = subject.run(subject.engine.list_queues("project", "queue", after=after, limit=2, total=True))
            assert page.total == len(names)
            if not page.queues:
                break
            listed += [queue.key.name for queue in page.queues]
        assert listed == sorted(names)
        assert subject.run(subject.engine.list_queues("project", "queue", after="", limit=2)).total is None

    def test_a_deleted_queue_takes_everything_with_it(self, subject: Subject) -> None:
        engine = subject.engine
        subject.run(engine.put_queue(QUEUE, {"a": 1}, revision=None, now_ms=5))
        ids = subject.post(3)
        claim_id, _ = subject.claim(2)
        subject.run(engine.delete_queue(QUEUE))
        assert subject.run(engine.get_queue(QUEUE)) is None
        subject.post()
        assert subject.run(engine.get_claim(QUEUE, claim_id, now_ms=subject.clock())) is None
        assert subject.message(ids[0]) is None
        assert len(subject.all()) == 1
        subject.run(engine.delete_queue(_OTHERS[0]))

    def test_a_cleared_queue_keeps_its_metadata(self, subject: Subject) -> None:
        subject.run(subject.engine.put_queue(QUEUE, {"a": 1}, revision=None, now_ms=5))
        subject.post(3)
        subject.claim(1)
        subject.run(subject.engine.delete_queue(QUEUE, contents_only=True))
        queue = subject.run(subject.engine.get_queue(QUEUE))
        assert queue is not None
        assert (queue.metadata, queue.revision) == ({"a": 1}, 1)
        assert subject.all() == []
        assert subject.run(subject.engine.list_claims(QUEUE, after="", limit=5, now_ms=subject.clock())) == ()

    def test_what_was_deleted_is_swept_in_slices_and_the_rest_stays(self, subject: Subject) -> None:
        subject.post(250)
        subject.claim(5)
        subject.run(subject.engine.delete_queue(QUEUE))
        kept = subject.post(2)
        subject.sweep()
        assert subject.all() == kept

    @pytest.mark.parametrize("other", _OTHERS)
    def test_nothing_is_reached_through_another_queue(self, subject: Subject, other: QueueKey) -> None:
        ids = subject.post(2)
        claim_id, held = subject.claim(1)
        subject.post(key=other)
        now_ms = subject.clock()
        assert subject.message(ids[0], key=other) is None
        deleted = subject.run(subject.engine.delete_messages(other, ids, now_ms=now_ms, claimed=True))
        assert set(deleted.values()) == {Deleted.MISSING}
        assert subject.run(subject.engine.get_claim(other, claim_id, now_ms=now_ms)) is None
        subject.run(subject.engine.delete_queue(other))
        assert subject.all() == ids
        assert held == ids[:1]

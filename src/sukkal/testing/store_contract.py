"""The contract as a test suite: a class per engine with one fixture.

::

    class TestMemory(StoreContract):
        def make_engine(self, directory: Path) -> Engine:
            return MemoryEngine()
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sukkal.model import NewMessage, Once, Post
from sukkal.store import Engine
from sukkal.testing.contract_accounts import AccountContract
from sukkal.testing.contract_claims import ClaimContract
from sukkal.testing.contract_idle import IdleContract
from sukkal.testing.contract_keys import KeyContract
from sukkal.testing.contract_listening import ListeningContract, look
from sukkal.testing.contract_messages import MessageContract
from sukkal.testing.contract_queues import QueueContract
from sukkal.testing.contract_records import RECORD, RecordContract
from sukkal.testing.contract_subscriptions import SubscriptionContract, due, listed, post, subscribe
from sukkal.testing.subject import QUEUE, Subject

__all__ = ["DurableStoreContract", "StoreContract"]


class StoreContract(
    QueueContract,
    MessageContract,
    ClaimContract,
    RecordContract,
    AccountContract,
    SubscriptionContract,
    ListeningContract,
    KeyContract,
    IdleContract,
):
    """What every engine has to pass. A subclass says how to make one."""

    def make_engine(self, directory: Path) -> Engine:
        """Return a new engine, not started, that may keep its data in the directory."""
        raise NotImplementedError

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        """Return a started engine and its surroundings."""
        subject = Subject(lambda: self.make_engine(tmp_path / "data"))
        yield subject
        subject.close()


class DurableStoreContract(StoreContract):
    """What an engine has to pass besides if its data outlive the process."""

    def test_everything_is_there_after_reopening(self, subject: Subject) -> None:
        subject.run(subject.engine.put_queue(QUEUE, {"a": 1}, revision=None, now_ms=subject.clock()))
        ids = subject.post(5, ttl_s=3_600)
        claim_id, held = subject.claim(2)
        subject.reopen()
        queue = subject.run(subject.engine.get_queue(QUEUE))
        assert queue is not None
        assert (queue.metadata, queue.revision) == ({"a": 1}, 1)
        assert subject.all() == ids
        assert subject.browse() == ids[2:]
        found = subject.run(subject.engine.get_claim(QUEUE, claim_id, now_ms=subject.clock()))
        assert found is not None
        assert [message.id for message in found.messages] == held

    def test_what_was_deleted_stays_deleted_after_reopening(self, subject: Subject) -> None:
        ids = subject.post(4)
        subject.claim(1, settle=True)
        subject.run(subject.engine.delete_messages(QUEUE, ids[1:2], now_ms=subject.clock(), claimed=True))
        subject.reopen()
        assert subject.all() == ids[2:]

    def test_a_repeated_post_is_known_after_reopening(self, subject: Subject) -> None:
        once = Once(key="k", fingerprint=b"f", expires_ms=subject.clock() + 1_000)
        post = Post(QUEUE, (NewMessage(id="first", body=b"1", ttl_s=60),))
        copy = Post(QUEUE._replace(name="copy"), post.messages)
        subject.run(subject.engine.publish((post, copy), now_ms=subject.clock(), once=once))
        subject.reopen()
        again = Post(QUEUE, (NewMessage(id="second", body=b"1", ttl_s=60),))
        published = subject.run(subject.engine.publish((again,), now_ms=subject.clock(), once=once))
        assert (published.repeated, published.ids) == (True, (("first",),))

    def test_sequences_go_on_after_reopening_even_if_the_newest_message_is_gone(self, subject: Subject) -> None:
        ids = subject.post(3)
        newest = subject.message(ids[-1])
        assert newest is not None
        subject.claim(3, settle=True)
        subject.reopen()
        (id_,) = subject.post(1)
        message = subject.message(id_)
        assert message is not None
        assert message.sequence > newest.sequence

    def test_a_deleted_queue_is_swept_after_reopening(self, subject: Subject) -> None:
        subject.post(120)
        subject.run(subject.engine.delete_queue(QUEUE))
        subject.reopen()
        assert subject.sweep() >= 120
        assert subject.all() == []

    def test_records_are_there_after_reopening_and_deleted_ones_are_not(self, subject: Subject) -> None:
        engine, now_ms = subject.engine, subject.clock()
        gone = RECORD._replace(name="gone")
        subject.run(engine.put_record(gone, b"0", now_ms=now_ms))
        subject.run(engine.put_record(RECORD, b"1", now_ms=now_ms))
        subject.run(engine.delete_record(gone, now_ms=now_ms))
        subject.reopen()
        engine = subject.engine
        assert subject.run(engine.get_record(gone, now_ms=now_ms)) is None
        subject.run(engine.put_record(RECORD, b"2", now_ms=now_ms + 5, expires_ms=now_ms + 1_000))
        subject.reopen()
        record = subject.run(subject.engine.get_record(RECORD, now_ms=now_ms + 999))
        assert record is not None
        assert (record.value, record.created_ms, record.expires_ms) == (b"2", now_ms, now_ms + 1_000)

    def test_subscriptions_and_their_backlogs_are_there_after_reopening(self, subject: Subject) -> None:
        subscription = subscribe(subject)
        id_ = post(subject, QUEUE, subscription.backlog)
        subject.reopen()
        assert listed(subject) == [subscription]
        assert due(subject) == [subscription.backlog]
        assert subject.all(key=subscription.backlog) == [id_]

    def test_what_went_is_noticed_after_reopening(self, subject: Subject) -> None:
        subject.post(3)
        page = look(subject)
        subject.claim(1, settle=True)
        subject.reopen()
        after = look(subject)
        assert after.epoch == page.epoch
        assert not after.complete
        assert look(subject, page.messages[0].sequence).complete

"""Examples of the contract: messages with keys, of which the newest takes the place of the others."""

from sukkal.model import NewMessage, Once, Post, Published, QueueKey, View
from sukkal.testing.subject import QUEUE, Subject

__all__ = ["KeyContract"]

_OTHER = QUEUE._replace(name="other")


def _put(
    subject: Subject, *ids: str, message_key: bytes | None = b"k", to: QueueKey = QUEUE, once: Once | None = None
) -> Published:
    """Post messages with one key and the given ids."""
    messages = tuple(NewMessage(id=id_, body=id_.encode(), ttl_s=3_600, key=message_key) for id_ in ids)
    return subject.run(subject.engine.publish((Post(to, messages),), now_ms=subject.clock(), once=once))


class KeyContract:
    """What the contract says of messages with keys."""

    def test_a_newer_message_takes_the_place_of_the_older_one_with_its_key(self, subject: Subject) -> None:
        _put(subject, "a1", message_key=b"a")
        _put(subject, "b1", message_key=b"b")
        _put(subject, "none1", message_key=None)
        _put(subject, "a2", message_key=b"a")
        _put(subject, "none2", message_key=None)
        assert subject.all() == subject.browse() == ["b1", "none1", "a2", "none2"]
        assert subject.message("a1") is None
        assert subject.run(subject.engine.usage_of(QUEUE, now_ms=subject.clock())).messages == 4
        assert subject.claim()[1] == ["b1", "none1", "a2", "none2"]

    def test_of_one_post_the_last_message_of_a_key_stays(self, subject: Subject) -> None:
        published = _put(subject, "1", "2", "3")
        assert published.ids == (("1", "2", "3"),)
        assert all(published.sequences[0])
        assert subject.all() == ["3"]

    def test_what_is_claimed_stays_with_its_claimer(self, subject: Subject) -> None:
        _put(subject, "old")
        claim_id, held = subject.claim(1, ttl_s=60)
        assert held == ["old"]
        _put(subject, "new")
        assert subject.all() == ["old", "new"]
        _put(subject, "newer")
        assert subject.all() == ["old", "newer"]
        subject.release(claim_id)
        assert subject.browse() == ["old", "newer"]
        _put(subject, "newest")
        assert subject.all() == ["newest"]

    def test_what_a_claim_held_until_a_moment_ago_is_replaced(self, subject: Subject) -> None:
        _put(subject, "old")
        subject.claim(1, ttl_s=60)
        subject.pass_s(59.999)
        _put(subject, "new")
        assert subject.all() == ["old", "new"]
        subject.pass_s(0.001)
        _put(subject, "newer")
        assert subject.all() == ["newer"]

    def test_what_was_claimed_for_the_last_time_is_left_alone(self, subject: Subject) -> None:
        _put(subject, "old")
        subject.claim(1, ttl_s=60, max_attempts=1)
        subject.pass_s(60)
        _put(subject, "new")
        _put(subject, "newer")
        assert subject.all() == ["old", "newer"]
        assert subject.claim(set_aside=True)[1] == ["old"]
        assert subject.claim()[1] == ["newer"]

    def test_what_is_delayed_is_replaced(self, subject: Subject) -> None:
        late = NewMessage(id="late", body=b"1", ttl_s=60, delay_s=30, key=b"k")
        subject.run(subject.engine.publish((Post(QUEUE, (late,)),), now_ms=subject.clock()))
        _put(subject, "now")
        assert subject.all() == ["now"]

    def test_a_key_means_nothing_in_another_queue(self, subject: Subject) -> None:
        _put(subject, "here")
        _put(subject, "there", to=_OTHER)
        _put(subject, "there2", to=_OTHER)
        assert (subject.all(), subject.all(key=_OTHER)) == (["here"], ["there2"])

    def test_a_message_that_is_there_already_takes_nobodys_place(self, subject: Subject) -> None:
        _put(subject, "first")
        _put(subject, "second", message_key=b"other")
        _put(subject, "second", message_key=b"k")
        assert subject.all() == ["first", "second"]

    def test_a_repeated_post_takes_nobodys_place(self, subject: Subject) -> None:
        once = Once(key="o", fingerprint=b"f", expires_ms=subject.clock() + 60_000)
        _put(subject, "first", once=once)
        _put(subject, "second")
        assert _put(subject, "again", once=once).repeated
        assert subject.all() == ["second"]

    def test_who_comes_back_is_told_that_something_is_gone(self, subject: Subject) -> None:
        _put(subject, "1")
        everything = View(claimed=True, delayed=True)
        browse = subject.engine.browse
        before = subject.run(browse(QUEUE, after=None, limit=9, view=everything, now_ms=subject.clock()))
        _put(subject, "2")
        _put(subject, "3")
        after = subject.run(browse(QUEUE, after=before.next, limit=9, view=everything, now_ms=subject.clock()))
        assert not after.complete
        assert [message.id for message in after.messages] == ["3"]

"""Examples of the contract: posting, reading and deleting messages."""

import pytest

from sukkal import limits
from sukkal.errors import ClaimNotFound, IdempotencyConflict
from sukkal.model import Ack, Deleted, NewMessage, Once, Post, QueueKey
from sukkal.testing.subject import QUEUE, Subject

__all__ = ["MessageContract"]


class MessageContract:
    """What the contract says of messages."""

    def test_a_message_comes_back_as_it_was_posted(self, subject: Subject) -> None:
        body = '{"ü":  [1e400, "\\u00e9", 123456789012345678901234567890]}'.encode()
        new = NewMessage(id="an-id", body=body, ttl_s=300, delay_s=7, client="me", attributes=b'{"a":1}')
        subject.run(subject.engine.publish((Post(QUEUE, (new,)),), now_ms=subject.clock()))
        message = subject.message("an-id")
        assert message is not None
        assert (message.id, message.body, message.ttl_s, message.client) == ("an-id", body, 300, "me")
        assert (message.attributes, message.attempts, message.claim_id) == (b'{"a":1}', 0, None)
        now_ms = subject.clock()
        assert (message.created_ms, message.visible_ms, message.expires_ms) == (
            now_ms,
            now_ms + 7_000,
            now_ms + 300_000,
        )

    def test_messages_are_listed_in_the_order_of_posting(self, subject: Subject) -> None:
        ids = [*subject.post(20), *subject.post(5), *subject.post(1)]
        assert subject.browse() == ids
        assert subject.browse(page=1) == ids
        assert subject.all() == ids

    def test_messages_of_different_lifetimes_keep_their_order(self, subject: Subject) -> None:
        ids = []
        for ttl_s in (3_600, 61, 300, 77, 1_209_600, 60, 12_345):
            ids += subject.post(ttl_s=ttl_s)
            subject.pass_s(0.001)
        assert subject.browse(page=2) == ids
        assert subject.claim(20)[1] == ids

    def test_a_message_expires_at_its_time_and_not_before(self, subject: Subject) -> None:
        short, long = subject.post(ttl_s=61), subject.post(ttl_s=300)
        subject.pass_s(60.999)
        assert subject.all() == short + long
        subject.pass_s(0.001)
        assert subject.all() == subject.browse() == long
        assert subject.message(short[0]) is None
        assert subject.claim()[1] == long

    @pytest.mark.parametrize("ttl_s", [60, 61, 101, 127, 128, 1_001, 3_601, 4_321, 100_001, 1_209_599])
    def test_a_message_of_any_lifetime_is_free_to_its_end(self, subject: Subject, ttl_s: int) -> None:
        ids = subject.post(2, ttl_s=ttl_s)
        subject.pass_s(ttl_s - 0.001)
        assert subject.browse() == ids
        assert subject.claim(1, settle=True)[1] == ids[:1]
        assert subject.run(subject.engine.stats(QUEUE, now_ms=subject.clock())).free == 1
        subject.pass_s(0.001)
        assert subject.claim(1)[1] == []
        assert subject.run(subject.engine.stats(QUEUE, now_ms=subject.clock())).total == 0

    def test_a_delayed_message_is_free_at_its_time_and_not_before(self, subject: Subject) -> None:
        late = subject.post(delay_s=5)
        soon = subject.post()
        assert subject.browse() == soon
        assert subject.browse(delayed=True) == late + soon
        assert subject.message(late[0]) is not None
        subject.pass_s(4.999)
        assert subject.claim(1)[1] == soon
        assert subject.claim(1)[1] == []
        subject.pass_s(0.001)
        assert subject.claim(1)[1] == late

    def test_a_message_that_expires_before_its_delay_ends_is_never_free(self, subject: Subject) -> None:
        subject.post(ttl_s=60, delay_s=90)
        for _ in range(4):
            assert subject.claim()[1] == []
            subject.pass_s(30)

    def test_a_client_is_spared_its_own_messages(self, subject: Subject) -> None:
        subject.post(30, client="me")
        theirs = subject.post(2, client="you")
        anonymous = subject.post(1, client="")
        assert subject.browse(not_from="me") == theirs + anonymous
        assert subject.browse(not_from="me", claimed=True) == theirs + anonymous

    def test_who_has_no_name_is_spared_nothing(self, subject: Subject) -> None:
        ids = subject.post(2, client="")
        assert subject.browse(not_from="") == ids
        assert subject.browse(not_from="", claimed=True) == ids

    def test_a_page_is_bounded_in_what_it_scans_and_goes_on_behind_it(self, subject: Subject) -> None:
        for _ in range(limits.BROWSE_SCAN_ROWS_MAX // 500 + 1):
            subject.post(500, client="me")
        theirs = subject.post(client="you")
        assert subject.browse(not_from="me", page=3) == theirs
        assert subject.browse(not_from="me", page=3, delayed=True) == theirs

    def test_messages_that_come_while_paging_come_at_the_end(self, subject: Subject) -> None:
        first = subject.post(3)
        browse = subject.engine.browse
        from sukkal.model import View

        page = subject.run(browse(QUEUE, after=None, limit=2, view=View(), now_ms=subject.clock()))
        second = subject.post(2)
        subject.run(subject.engine.delete_messages(QUEUE, first[:2], now_ms=subject.clock(), claimed=True))
        rest = subject.run(browse(QUEUE, after=page.next, limit=9, view=View(), now_ms=subject.clock()))
        assert [message.id for message in rest.messages] == [first[2], *second]

    def test_messages_are_got_in_the_order_asked_for_each_once(self, subject: Subject) -> None:
        ids = subject.post(3)
        asked = [ids[2], "unknown", ids[0], ids[2]]
        found = subject.run(subject.engine.get_messages(QUEUE, asked, now_ms=subject.clock()))
        assert [message.id for message in found] == [ids[2], ids[0]]

    def test_an_id_that_is_there_already_is_left_as_it_is(self, subject: Subject) -> None:
        (id_,) = subject.post()
        again = NewMessage(id=id_, body=b'"other"', ttl_s=60)
        published = subject.run(subject.engine.publish((Post(QUEUE, (again,)),), now_ms=subject.clock() + 5))
        assert published.ids == ((id_,),)
        message = subject.message(id_)
        assert message is not None
        assert message.body == b'{"n": 0}'
        assert subject.all() == [id_]

    def test_the_id_of_an_expired_message_is_free_again(self, subject: Subject) -> None:
        (id_,) = subject.post(ttl_s=60)
        subject.pass_s(60)
        again = NewMessage(id=id_, body=b'"other"', ttl_s=60)
        subject.run(subject.engine.publish((Post(QUEUE, (again,)),), now_ms=subject.clock()))
        message = subject.message(id_)
        assert message is not None
        assert message.body == b'"other"'

    def test_one_post_reaches_several_queues_at_once(self, subject: Subject) -> None:
        keys = [QUEUE._replace(name=name) for name in "abc"]
        posts = [Post(key, (NewMessage(id="same", body=b"1", ttl_s=60),)) for key in keys]
        subject.run(subject.engine.publish(posts, now_ms=subject.clock()))
        assert [subject.all(key=key) for key in keys] == [["same"]] * 3

    def test_what_was_posted_under_a_key_is_known_until_it_is_forgotten(self, subject: Subject) -> None:
        def act(key: str, fingerprint: bytes = b"f") -> Once:
            return Once(key=key, fingerprint=fingerprint, expires_ms=subject.clock() + 1_000)

        def earlier(*acts: Once, key: QueueKey = QUEUE) -> dict[str, tuple[str, ...]]:
            return dict(subject.run(subject.engine.earlier(key, acts, now_ms=subject.clock())))

        assert earlier(act("a")) == {}
        for name in "ab":
            messages = tuple([NewMessage(id=f"{name}{number}", body=b"1", ttl_s=60) for number in range(2)])
            posts = (Post(QUEUE, messages), Post(QUEUE._replace(name="other"), messages[:1]))
            subject.run(subject.engine.publish(posts, now_ms=subject.clock(), once=act(name)))
        subject.claim(4, settle=True)
        assert earlier(act("a"), act("c"), act("b")) == {"a": ("a0", "a1"), "b": ("b0", "b1")}
        assert earlier(act("a"), key=QUEUE._replace(name="other")) == {}
        assert earlier() == {}
        with pytest.raises(IdempotencyConflict):
            earlier(act("b"), act("a", b"g"))
        subject.pass_s(1)
        assert earlier(act("a"), act("b")) == {}

    def test_a_repeated_post_is_stored_once_until_its_key_is_forgotten(self, subject: Subject) -> None:
        def post(key: QueueKey = QUEUE, fingerprint: bytes = b"f") -> bool:
            once = Once(key="k", fingerprint=fingerprint, expires_ms=subject.clock() + 1_000)
            message = NewMessage(id=subject.new_id(), body=b"1", ttl_s=60)
            posts = (Post(key, (message,)), Post(key._replace(name="copies"), (message,)))
            published = subject.run(subject.engine.publish(posts, now_ms=subject.clock(), once=once))
            # Of a repetition the ids of copies are not told: to keep them would cost as much as there are copies.
            assert published.ids == ((published.ids[0][0],),) * (1 if published.repeated else 2)
            ids.append(published.ids[0][0])
            return published.repeated

        ids: list[str] = []
        assert not post()
        subject.pass_s(0.999)
        assert post()
        assert ids[0] == ids[1]
        assert subject.all() == [ids[0]]
        assert not post(key=QUEUE._replace(name="other"))
        with pytest.raises(IdempotencyConflict):
            post(fingerprint=b"g")
        # Also when the message has been consumed meanwhile.
        subject.claim(settle=True)
        assert post()
        assert subject.all() == []
        subject.pass_s(0.001)
        assert not post(fingerprint=b"g")

    def test_deleting_spares_claimed_messages_unless_told_otherwise(self, subject: Subject) -> None:
        ids = subject.post(3)
        subject.claim(1)
        delete = subject.engine.delete_messages
        outcome = subject.run(delete(QUEUE, [*ids, "unknown"], now_ms=subject.clock(), claimed=False))
        assert outcome == {
            ids[0]: Deleted.CLAIMED,
            ids[1]: Deleted.DONE,
            ids[2]: Deleted.DONE,
            "unknown": Deleted.MISSING,
        }
        assert subject.all() == ids[:1]
        assert subject.run(delete(QUEUE, ids[:1], now_ms=subject.clock(), claimed=True)) == {ids[0]: Deleted.DONE}
        assert subject.all() == []

    def test_nothing_is_found_under_a_name_that_nothing_has(self, subject: Subject) -> None:
        ids = subject.post(1)
        claim_id, _ = subject.claim()
        for name in ("nul\0", "ü" * 500, "", "' OR 1=1 --"):
            assert subject.message(name) is None
            deleted = subject.run(subject.engine.delete_messages(QUEUE, [name], now_ms=subject.clock(), claimed=True))
            assert deleted == {name: Deleted.MISSING}
            assert subject.settle(claim_id, {name: Ack()}) == ["missing"]
            assert subject.run(subject.engine.get_claim(QUEUE, name, now_ms=subject.clock())) is None
            with pytest.raises(ClaimNotFound):
                subject.settle(name, {ids[0]: Ack()})
            with pytest.raises(ClaimNotFound):
                subject.run(subject.engine.extend(QUEUE, name, ttl_s=60, grace_s=60, now_ms=subject.clock()))
        assert subject.all() == ids

    def test_an_expired_message_is_missing_to_a_deletion(self, subject: Subject) -> None:
        ids = subject.post(ttl_s=60)
        subject.pass_s(60)
        outcome = subject.run(subject.engine.delete_messages(QUEUE, ids, now_ms=subject.clock(), claimed=True))
        assert outcome == {ids[0]: Deleted.MISSING}

    def test_a_message_whose_claim_ended_can_be_deleted(self, subject: Subject) -> None:
        ids = subject.post(ttl_s=3_600)
        subject.claim(ttl_s=60)
        subject.pass_s(60)
        outcome = subject.run(subject.engine.delete_messages(QUEUE, ids, now_ms=subject.clock(), claimed=False))
        assert outcome == {ids[0]: Deleted.DONE}

    def test_counts_are_those_of_the_moment(self, subject: Subject) -> None:
        subject.post(2, ttl_s=60)
        kept = subject.post(5, ttl_s=3_600)
        subject.post(1, ttl_s=77, delay_s=30)
        subject.claim(3, ttl_s=20)

        def counts() -> tuple[int, int, int]:
            stats = subject.run(subject.engine.stats(QUEUE, now_ms=subject.clock()))
            assert stats.total == stats.claimed + stats.delayed + stats.free
            return stats.claimed, stats.delayed, stats.free

        assert counts() == (3, 1, 4)
        subject.pass_s(20)
        assert counts() == (0, 1, 7)
        subject.pass_s(10)
        assert counts() == (0, 0, 8)
        subject.pass_s(30)
        assert counts() == (0, 0, 6)
        subject.pass_s(17)
        assert counts() == (0, 0, 5)
        stats = subject.run(subject.engine.stats(QUEUE, now_ms=subject.clock()))
        assert stats.oldest is not None
        assert stats.newest is not None
        assert (stats.oldest.id, stats.newest.id) == (kept[0], kept[-1])

    def test_sweeping_changes_no_answer(self, subject: Subject) -> None:
        subject.post(5, ttl_s=60)
        kept = subject.post(5, ttl_s=301)
        subject.claim(7, ttl_s=30, grace_s=0)
        subject.pass_s(61)
        before = (subject.browse(), subject.all())
        assert subject.sweep() >= 5
        assert (subject.browse(), subject.all()) == before
        assert sorted(before[0]) == sorted(kept)
        assert subject.sweep() == 0

    def test_posts_made_at_the_same_time_are_all_kept(self, subject: Subject) -> None:
        posts = [Post(QUEUE, (NewMessage(id=f"{number}", body=b"1", ttl_s=60),)) for number in range(100)]
        subject.together(*(subject.engine.publish((post,), now_ms=subject.clock()) for post in posts))
        assert sorted(subject.all()) == sorted(str(number) for number in range(100))

    def test_a_refused_call_does_not_spoil_those_made_with_it(self, subject: Subject) -> None:
        subject.post(1)
        calls = [
            subject.engine.publish((Post(QUEUE, (NewMessage(id=str(n), body=b"1", ttl_s=60),)),), now_ms=5)
            for n in range(3)
        ]

        async def refused() -> None:
            with pytest.raises(Exception, match="changed meanwhile"):
                await subject.engine.put_queue(QUEUE, {}, revision=99, now_ms=subject.clock())

        subject.together(calls[0], refused(), calls[1], refused(), calls[2])
        assert len(subject.run(subject.engine.get_messages(QUEUE, ("0", "1", "2"), now_ms=6))) == 3

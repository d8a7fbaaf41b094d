"""Examples of the contract: control records."""

import pytest

from sukkal import limits
from sukkal.model import Record, RecordKey
from sukkal.testing.subject import Subject

__all__ = ["RECORD", "RecordContract"]

RECORD = RecordKey("pool", "project", "record")
_OTHERS = (RECORD._replace(kind="flavor"), RECORD._replace(project="other"), RECORD._replace(name="record2"))


class RecordContract:
    """What the contract says of records."""

    def test_a_record_that_nobody_put_is_not_there(self, subject: Subject) -> None:
        assert _get(subject) is None
        assert _names(subject) == []
        assert not _delete(subject)

    @pytest.mark.parametrize("lifetime_ms", [None, 5])
    def test_a_record_comes_back_as_it_was_put(self, subject: Subject, lifetime_ms: int | None) -> None:
        value = '{"ü":  [1e400, "\\u0000"]}'.encode()
        record = _put(subject, value=value, lifetime_ms=lifetime_ms)
        expires_ms = None if lifetime_ms is None else subject.clock() + lifetime_ms
        assert record == Record(key=RECORD, value=value, created_ms=subject.clock(), expires_ms=expires_ms)
        assert _get(subject) == record
        assert _walk(subject) == [record]

    @pytest.mark.parametrize(("first", "second"), [(None, None), (None, 60_000), (60_000, None), (60_000, 90_000)])
    def test_a_record_put_again_has_the_new_value_and_expiry_and_its_first_time(
        self, subject: Subject, first: int | None, second: int | None
    ) -> None:
        created_ms = _put(subject, lifetime_ms=first).created_ms
        subject.pass_s(59.999)
        record = _put(subject, value=b"2", lifetime_ms=second)
        assert (record.value, record.created_ms) == (b"2", created_ms)
        assert record.expires_ms == (None if second is None else subject.clock() + second)
        assert _get(subject) == record

    def test_a_record_expires_at_its_time_and_not_before(self, subject: Subject) -> None:
        _put(subject, lifetime_ms=60_000)
        subject.pass_s(59.999)
        assert _get(subject) is not None
        assert _names(subject) == _names(subject, project=None) == ["record"]
        subject.pass_s(0.001)
        assert _get(subject) is None
        assert _names(subject) == _names(subject, project=None) == []
        assert not _delete(subject)

    def test_an_expired_record_makes_room_for_a_new_one(self, subject: Subject) -> None:
        _put(subject, lifetime_ms=60_000)
        subject.pass_s(60)
        record = _put(subject, value=b"2")
        assert record.created_ms == subject.clock()
        subject.sweep()
        assert _get(subject) == record

    def test_a_deleted_record_is_gone_and_can_be_put_anew(self, subject: Subject) -> None:
        _put(subject)
        assert _delete(subject)
        assert not _delete(subject)
        assert _get(subject) is None
        assert _names(subject) == []
        subject.pass_s(1)
        assert _put(subject).created_ms == subject.clock()

    @pytest.mark.parametrize("other", _OTHERS)
    def test_nothing_is_reached_through_another_key(self, subject: Subject, other: RecordKey) -> None:
        record = _put(subject)
        assert _get(subject, other) is None
        assert not _delete(subject, other)
        _put(subject, other, value=b"2")
        assert _get(subject) == record
        assert _delete(subject, other)
        assert _walk(subject) == [record]

    def test_records_are_listed_by_project_and_name_page_by_page(self, subject: Subject) -> None:
        names = ["a", "b", "b.c", "b_d", "Z", "0", "ü", "\U0001f600", "\uffff"]
        keys = [RecordKey("pool", project, name) for project in ("p", "", "p.q", "ü", "P") for name in names]
        for key in reversed(keys):
            _put(subject, key)
        _put(subject, RecordKey("pools", "p", "x"))
        _put(subject, RecordKey("poo", "p", "x"))
        for page in (1, 4, 1_000):
            assert [record.key for record in _walk(subject, project=None, page=page)] == sorted(keys)
            assert _names(subject, project="p", page=page) == sorted(names)
            assert _names(subject, project="", page=page) == sorted(names)
        assert _names(subject, project="nobody") == []

    def test_a_listing_begins_behind_any_place_whether_there_is_a_record_or_not(self, subject: Subject) -> None:
        for project in "bd":
            for name in "bd":
                _put(subject, RecordKey("pool", project, name))
        assert _names(subject, project="b", after=("b", "b")) == ["d"]
        assert _names(subject, project="b", after=("b", "c")) == ["d"]
        assert _names(subject, project="b", after=("b", "d")) == []
        assert _names(subject, project="b", after=("a", "x")) == ["b", "d"]
        assert _names(subject, project="b", after=("c", "")) == []
        assert _names(subject, project=None, after=("b", "c")) == ["d", "b", "d"]
        assert _names(subject, project=None, after=("c", "")) == ["b", "d"]

    def test_a_listing_goes_on_behind_any_number_of_expired_records(self, subject: Subject) -> None:
        keys = [RECORD._replace(name=f"{number:05}") for number in range(2 * limits.RECORDS_SCAN_ROWS_MAX + 7)]
        ends_ms = subject.clock() + 1_000
        put = subject.engine.put_record
        subject.together(*(put(key, b"{}", now_ms=subject.clock(), expires_ms=ends_ms) for key in keys))
        kept = [RECORD._replace(name=f"{number:05}") for number in (0, 500, 999, 2_006)]
        for key in [*kept, RECORD]:
            _put(subject, key)
        subject.pass_s(1)
        for project in ("project", None):
            assert [record.key for record in _walk(subject, project=project, page=2)] == [*kept, RECORD]

    def test_expired_records_are_swept_and_the_rest_stays(self, subject: Subject) -> None:
        for number in range(230):
            _put(subject, RECORD._replace(name=f"{number:03}"), lifetime_ms=1_000 + number % 2)
        _put(subject)
        subject.pass_s(1)
        before = _walk(subject)
        assert subject.sweep() == 115
        assert _walk(subject) == before
        assert len(before) == 116
        assert subject.sweep() == 0

    def test_a_sweep_keeps_to_its_limit(self, subject: Subject) -> None:
        for number in range(9):
            _put(subject, RECORD._replace(name=str(number)), lifetime_ms=1)
        subject.pass_s(1)
        swept = subject.run(subject.engine.sweep(now_ms=subject.clock(), limit=5))
        assert (swept.removed, swept.more) == (5, True)
        assert subject.sweep() == 4

    def test_of_two_that_create_a_record_at_once_one_succeeds(self, subject: Subject) -> None:
        swap, now_ms = subject.engine.swap_record, subject.clock()
        came = subject.together(*(swap(RECORD, None, b"%d" % number, now_ms=now_ms) for number in range(9)))
        assert came.count(True) == 1
        record = _get(subject)
        assert record is not None
        assert (record.value, record.created_ms, record.expires_ms) == (b"%d" % came.index(True), now_ms, None)

    @pytest.mark.parametrize(("old", "new"), [(None, b"2"), (b"0", b"2"), (b"0", None), (None, None)])
    def test_a_record_that_is_not_as_it_was_read_stays(
        self, subject: Subject, old: bytes | None, new: bytes | None
    ) -> None:
        record = _put(subject, value=b"1", lifetime_ms=60_000)
        assert not _swap(subject, old, new)
        assert _get(subject) == record

    @pytest.mark.parametrize("new", [b"2", None])
    def test_a_record_that_is_not_there_is_not_replaced(self, subject: Subject, new: bytes | None) -> None:
        assert not _swap(subject, b"1", new)
        assert _get(subject) is None
        assert _swap(subject, None, None)

    def test_a_record_that_is_as_it_was_read_is_replaced_and_deleted(self, subject: Subject) -> None:
        created_ms = _put(subject, value=b"1", lifetime_ms=60_000).created_ms
        subject.pass_s(1)
        assert _swap(subject, b"1", b"2", lifetime_ms=5_000)
        record = _get(subject)
        assert record is not None
        assert (record.value, record.created_ms, record.expires_ms) == (b"2", created_ms, subject.clock() + 5_000)
        assert _swap(subject, b"2", b"3")
        subject.pass_s(100)
        assert _swap(subject, b"3", None)
        assert _get(subject) is None

    def test_a_record_that_has_expired_is_as_good_as_none(self, subject: Subject) -> None:
        _put(subject, value=b"1", lifetime_ms=60_000)
        subject.pass_s(60)
        assert not _swap(subject, b"1", b"2")
        assert _swap(subject, None, b"3")
        record = _get(subject)
        assert record is not None
        assert (record.value, record.created_ms) == (b"3", subject.clock())

    def test_records_put_at_the_same_time_are_all_kept(self, subject: Subject) -> None:
        keys = [RECORD._replace(name=f"{number:02}") for number in range(50)]
        subject.together(*(subject.engine.put_record(key, b"{}", now_ms=subject.clock()) for key in keys))
        assert [record.key for record in _walk(subject)] == keys


def _put(subject: Subject, key: RecordKey = RECORD, *, value: bytes = b"{}", lifetime_ms: int | None = None) -> Record:
    expires_ms = None if lifetime_ms is None else subject.clock() + lifetime_ms
    return subject.run(subject.engine.put_record(key, value, now_ms=subject.clock(), expires_ms=expires_ms))


def _swap(subject: Subject, old: bytes | None, new: bytes | None, *, lifetime_ms: int | None = None) -> bool:
    now_ms = subject.clock()
    expires_ms = None if lifetime_ms is None else now_ms + lifetime_ms
    return subject.run(subject.engine.swap_record(RECORD, old, new, now_ms=now_ms, expires_ms=expires_ms))


def _get(subject: Subject, key: RecordKey = RECORD) -> Record | None:
    return subject.run(subject.engine.get_record(key, now_ms=subject.clock()))


def _delete(subject: Subject, key: RecordKey = RECORD) -> bool:
    return subject.run(subject.engine.delete_record(key, now_ms=subject.clock()))


def _walk(
    subject: Subject, *, project: str | None = RECORD.project, after: tuple[str, str] = ("", ""), page: int = 7
) -> list[Record]:
    """Walk a listing to its end."""
    found: list[Record] = []
    now_ms = subject.clock()
    while True:
        listed = subject.engine.list_records(RECORD.kind, project, after=after, limit=page, now_ms=now_ms)
        part = subject.run(listed)
        assert len(part.records) <= page
        found += part.records
        if part.next is None:
            return found
        assert part.next > after, "a page must end behind the one before"
        after = part.next


def _names(
    subject: Subject, *, project: str | None = RECORD.project, after: tuple[str, str] = ("", ""), page: int = 7
) -> list[str]:
    return [record.key.name for record in _walk(subject, project=project, after=after, page=page)]

"""What is written into a file can be read from it, and nothing else is."""

import contextlib
import functools
import io
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.carrying.in_memory import in_memory

from sukkal.carrying.arriving import Progress
from sukkal.carrying.backup import back_up, restore
from sukkal.carrying.counting import Counting
from sukkal.carrying.file import Reading, Writing
from sukkal.carrying.parcels import Beginning, Keeping
from sukkal.engines.memory import MemoryEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.errors import StartupError
from sukkal.model import Message, Queue, QueueKey, Record, RecordKey
from sukkal.moving import Frame, Stored
from sukkal.testing.contract_listening import look
from sukkal.testing.contract_whole import keys, records, stock
from sukkal.testing.move_ends import Ends, MovableEngine
from sukkal.testing.subject import QUEUE
from sukkal.whole import Source, Target

LARGE = QueueKey("project", "large")


def written(ends: Ends) -> bytes:
    file = io.BytesIO()
    now_ms = ends.subject.clock()
    ends.run(back_up(cast(Source, ends.source), file, written_by="1.2.3", now_ms=now_ms, tell=lambda progress: None))
    return file.getvalue()


def restored(ends: Ends, text: bytes, target: MovableEngine | None = None) -> Progress:
    reading = Reading(io.BytesIO(text))
    reading.check()
    restoring = restore(
        reading,
        cast(Target, target or ends.target),
        now_ms=ends.subject.clock(),
        tell=lambda progress, compares: None,
    )
    return ends.run(restoring)


@pytest.fixture
def small() -> bytes:
    return _small()


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_a_store_is_restored_as_it_was(kind: str, tmp_path: Path) -> None:
    with contextlib.closing(
        Ends(lambda name: MemoryEngine() if kind == "memory" else SqliteEngine(tmp_path / name))
    ) as ends:
        stock(ends)
        ends.subject.post(3_000, key=LARGE)
        text = written(ends)
        assert text.startswith(b'{"format":"sukkal-store","version":1,')
        all_keys = keys(ends, ends.source)
        progress = restored(ends, text)
        assert (progress.queues, progress.records) == (len(all_keys), 4)
        assert ends.seen(ends.target, *all_keys) == ends.seen(ends.source, *all_keys)
        assert records(ends, ends.target) == records(ends, ends.source)


def test_what_has_expired_since_is_not_there_any_more() -> None:
    with in_memory() as ends:
        stock(ends)
        ends.subject.post(3, key=LARGE, ttl_s=60)
        text = written(ends)
        ends.subject.pass_s(61)
        restored(ends, text)
        assert ends.swapped().subject.all(key=LARGE) == []


def test_numbers_that_were_given_after_the_backup_are_not_given_again() -> None:
    with in_memory() as ends:
        ends.subject.post(1)
        text = written(ends)
        ends.subject.pass_s(60)
        ends.run(ends.source.delete_queue(QUEUE))
        ends.subject.post(1_000)
        lost = look(ends.subject).last
        ends.subject.pass_s(60)
        restored(ends, text)
        assert look(ends.swapped().subject).epoch > lost


def test_what_has_expired_does_not_count() -> None:
    frame = Frame(queue=Queue(key=QUEUE, metadata={}, revision=1, created_ms=1), epoch=1, last=1)
    message = Message(id="m", body=b"1", ttl_s=60, created_ms=1, expires_ms=60_001, visible_ms=1, sequence=1)
    live, over, nothing_there = (Counting(frame, as_of_ms) for as_of_ms in (60_000, 60_001, 60_001))
    for counting in (live, over):
        counting.hold([Stored(message=message)])
    assert live.done().messages == 1
    assert over.done() == nothing_there.done()


def test_a_file_says_in_its_first_line_what_it_is(small: bytes) -> None:
    line, _, _ = small.partition(b"\n")
    assert line == b'{"format":"sukkal-store","version":1,"compression":"zlib","written_by":"1.2.3"}'


def test_a_newer_file_is_refused_and_nothing_restored(small: bytes) -> None:
    with in_memory() as ends:
        newer = small.replace(b'"version":1', b'"version":2', 1)
        with pytest.raises(StartupError, match=r"version 2 .* knows up to 1.*1\.2\.3"):
            restored(ends, newer)
        assert nothing(ends)


@given(data=st.data())
def test_damage_is_noticed_wherever_it_is_and_nothing_restored(data: st.DataObject) -> None:
    text = bytearray(_small())
    how = data.draw(st.sampled_from(["other", "cut", "longer", "twice"]))
    at = data.draw(st.integers(0, len(text) - 1))
    if how == "other":
        text[at] ^= data.draw(st.integers(1, 255))
    elif how == "cut":
        del text[at:]
    elif how == "longer":
        text += data.draw(st.binary(min_size=1, max_size=9))
    else:
        text[at:at] = text[max(at - 40, 0) : at] or b"x"
    with in_memory() as ends:
        with pytest.raises(StartupError, match=r"damaged|cut off|no backup|version"):
            restored(ends, bytes(text))
        assert nothing(ends)


def test_a_file_of_something_else_is_refused() -> None:
    for text in (b"", b"\n", b"[]\n", b"{}\n", b"SQLite format 3\0" * 99, b'{"format":"sukkal-store","version":"1"}\n'):
        with pytest.raises(StartupError, match="no backup"):
            Reading(io.BytesIO(text)).check()


def test_what_is_whole_but_in_no_order_is_refused() -> None:
    beginning, keeping = Beginning(as_of_ms=1, last=1), Keeping(())
    for parcels in ((keeping,), (keeping, beginning), (beginning, beginning)):
        file = io.BytesIO()
        writing = Writing(file, written_by="x")
        for parcel in parcels:
            writing.add(parcel)
        writing.finish()
        with pytest.raises(StartupError, match="order"):
            Reading(file).check()


def test_many_blocks_are_read_as_they_were_written() -> None:
    file = io.BytesIO()
    writing = Writing(file, written_by="x")
    kept = [
        Keeping((Record(key=RecordKey("k", "p", str(number)), value=bytes(300_000), created_ms=1),))
        for number in range(20)
    ]
    writing.add(Beginning(as_of_ms=1, last=2))
    for each in kept:
        writing.add(each)
    writing.finish()
    reading = Reading(file)
    assert list(reading.parcels())[1:] == kept
    reading.check()
    assert len(reading.digest) == 64


def nothing(ends: Ends) -> bool:
    return keys(ends, ends.target) == [] and records(ends, ends.target) == []


@functools.cache
def _small() -> bytes:
    with in_memory() as ends:
        stock(ends)
        return written(ends)

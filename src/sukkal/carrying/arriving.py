"""Taking parcels into a store that has nothing yet, and going on where that ended.

As long as not everything has come, a record in the store says so, and how far it is; nobody serves such a store. It is
written behind what it tells of. What came after it was written comes again, which changes nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from sukkal.carrying.leaving import ARRIVED, UNFINISHED, records_of
from sukkal.carrying.parcels import Beginning, Ending, Holding, Keeping, Parcel, Particulars, place_of
from sukkal.errors import StartupError
from sukkal.model import QueueKey
from sukkal.pools.routing import NUMBERS_PER_MS
from sukkal.records import Records
from sukkal.whole import Target, Whole

__all__ = ["Arriving", "Progress", "check_whole", "what_is_missing"]

_MESSAGES_AT_ONCE: Final = 2_000
_BYTES_AT_ONCE: Final = 8_388_608
_QUEUES_AT_ONCE: Final = 200


class Progress(msgspec.Struct, frozen=True):
    """How far it is: what has arrived, and the last queue of it; ``earlier`` if a run before this one has ended it."""

    queues: int = 0
    messages: int = 0
    records: int = 0
    queue: QueueKey | None = None
    earlier: bool = False


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    """What the record says: where all comes from, as of when, which queue is whole, and how far the next one is."""

    origin: str
    as_of_ms: int
    whole: QueueKey | None = None
    queue: QueueKey | None = None
    sequence: int = -1
    progress: Progress = Progress()


class Arriving:
    """Takes the parcels of one store, in their order."""

    def __init__(
        self, target: Target, origin: str, *, now_ms: int, tell: Callable[[Progress], None] = lambda progress: None
    ) -> None:
        self._target = target
        self._note = _Note(origin=origin, as_of_ms=now_ms)
        self._now_ms = now_ms
        self._tell = tell
        self._waiting: dict[QueueKey, list[Holding | Particulars]] = {}
        self._ended: list[QueueKey] = []
        self._messages = self._bytes = 0
        self._begun = self._resumed = False

    @property
    def as_of_ms(self) -> int:
        """As of when the source is, also if a run before this one has begun."""
        return self._note.as_of_ms

    @property
    def whole(self) -> QueueKey | None:
        """The last queue that need not come again."""
        return self._note.whole

    @property
    def progress(self) -> Progress:
        """What has arrived in all."""
        return self._note.progress

    async def open(self) -> bool:
        """Look how far it is, and tell whether there is something left to do.

        Raises ``StartupError`` if there is something else in the store.
        """
        found = await self._target.get_record(UNFINISHED, now_ms=self._now_ms)
        if found is None:
            return not await self._has_arrived()
        note = msgspec.json.decode(found.value, type=_Note)
        if note.origin != self._note.origin:
            raise StartupError(f"It is being filled from {note.origin}. Finish that, or name a store that is empty.")
        # Records come again from the first.
        self._note = replace(note, progress=replace(note.progress, records=0))
        self._begun = self._resumed = True
        return True

    async def take(self, parcel: Parcel) -> None:
        """Take the next parcel. What has come before is passed by."""
        match parcel:
            case Beginning():
                await self._begin(parcel)
            case Keeping(records):
                await self._flush()
                await self._target.bring_records(records)
                done = self._note.progress
                await self._write(replace(self._note, progress=replace(done, records=done.records + len(records))))
            case Ending(frame):
                key = frame.queue.key
                if self._is_missing(key):
                    waiting = self._waiting.setdefault(key, [])
                    if not waiting and key != self._note.queue:
                        waiting.append(Holding(frame, ()))  # There is nothing in it.
                    self._ended.append(key)
            case Holding(frame, stored):
                if self._is_missing(frame.queue.key, stored[-1].message.sequence if stored else -1):
                    self._wait_for(frame.queue.key, parcel)
                    self._messages += len(stored)
                    self._bytes += sum([len(each.message.body) for each in stored])
            case Particulars(frame):
                if self._is_missing(frame.queue.key):
                    self._wait_for(frame.queue.key, parcel)
        waits = (self._messages / _MESSAGES_AT_ONCE, self._bytes / _BYTES_AT_ONCE, len(self._ended) / _QUEUES_AT_ONCE)
        if max(waits) >= 1:
            await self._flush()

    async def finish(self) -> None:
        """Take what still waits."""
        await self._flush()

    async def close(self) -> None:
        """Let the store be served: everything has come."""
        await self._target.put_record(ARRIVED, self._encoded(), now_ms=self._now_ms)
        await self._target.delete_record(UNFINISHED, now_ms=self._now_ms)

    async def _has_arrived(self) -> bool:
        arrived = await self._target.get_record(ARRIVED, now_ms=self._now_ms)
        note = None if arrived is None else msgspec.json.decode(arrived.value, type=_Note)
        if note is not None and note.origin == self._note.origin:
            self._note = replace(note, progress=replace(note.progress, earlier=True))
            return True
        if await _anything(self._target, self._now_ms):
            raise StartupError("There are data in it already. Name a store that is empty.")
        return False

    async def _begin(self, beginning: Beginning) -> None:
        if not self._begun:
            self._note = replace(self._note, as_of_ms=beginning.as_of_ms)
            begun = await self._target.swap_record(UNFINISHED, None, self._encoded(), now_ms=self._now_ms)
            if not begun:
                raise StartupError("Somebody else has begun to fill it.")
        self._begun = True
        if self._note.whole is None:
            # Behind all that was ever given, also since a backup was made: see ``sukkal.pools``.
            await self._target.begin_behind(max(beginning.last, self._now_ms * NUMBERS_PER_MS))

    def _is_missing(self, key: QueueKey, sequence: int | None = None) -> bool:
        note = self._note
        if note.whole is not None and place_of(key) <= place_of(note.whole):
            return False
        return sequence is None or key != note.queue or sequence > note.sequence

    def _wait_for(self, key: QueueKey, parcel: Holding | Particulars) -> None:
        self._waiting.setdefault(key, []).append(parcel)

    async def _flush(self) -> None:
        """Store what waits: each queue's parcels one behind the other; then let those be seen that are whole."""
        waiting, self._waiting = self._waiting, {}
        ended, self._ended, self._messages, self._bytes = self._ended, [], 0, 0
        if not waiting:
            return
        async with asyncio.TaskGroup() as group:
            for key, parcels in waiting.items():
                group.create_task(self._stage(key, parcels))
        if ended:
            await self._target.open_staged(ended, now_ms=self._now_ms)
        await self._write(self._after(waiting, ended))

    async def _stage(self, key: QueueKey, parcels: "list[Holding | Particulars]") -> None:
        # A queue that can be seen was whole before this run: the note of it is all that is missing.
        if self._resumed and await self._target.frame(key) is not None:
            return
        for parcel in parcels:
            stored = parcel.stored if isinstance(parcel, Holding) else ()
            details = parcel.details if isinstance(parcel, Particulars) else None
            await self._target.stage(parcel.frame, stored=stored, details=details, now_ms=self._now_ms)

    def _after(self, waiting: "dict[QueueKey, list[Holding | Particulars]]", ended: list[QueueKey]) -> _Note:
        note, done = self._note, self._note.progress
        last, held = next(reversed(waiting)), sum([len(_sequences(parcels)) for parcels in waiting.values()])
        done = replace(done, queues=done.queues + len(ended), messages=done.messages + held, queue=last)
        note = replace(note, whole=ended[-1] if ended else note.whole, progress=done)
        if last in ended:
            return replace(note, queue=None, sequence=-1)
        before = note.sequence if note.queue == last else -1
        return replace(note, queue=last, sequence=max([*_sequences(waiting[last]), before]))

    async def _write(self, note: _Note) -> None:
        self._note = note
        await self._target.put_record(UNFINISHED, self._encoded(), now_ms=self._now_ms)
        self._tell(note.progress)

    def _encoded(self) -> bytes:
        return msgspec.json.encode(self._note)


def _sequences(parcels: "list[Holding | Particulars]") -> list[int]:
    return [each.message.sequence for parcel in parcels if isinstance(parcel, Holding) for each in parcel.stored]


async def check_whole(store: Records, now_ms: int) -> None:
    """Raise ``StartupError`` for a store to which not everything has come yet."""
    found = await store.get_record(UNFINISHED, now_ms=now_ms)
    if found is not None:
        raise StartupError(f"The store {what_is_missing(found.value)}")


def what_is_missing(value: bytes) -> str:
    """Return what is wrong with a store that has ``UNFINISHED`` with a value, and what to do."""
    note = msgspec.json.decode(value, type=_Note)
    return (
        f"is being filled from {note.origin}, and not everything has come. Finish that with the same `sukkal migrate` "
        "or `sukkal restore` that began it, or empty the store: remove its directory, or drop its database and make it "
        "anew. Until then nobody can serve it."
    )


async def _anything(store: Whole, now_ms: int) -> bool:
    if await store.all_queues(None, limit=1):
        return True
    async for _ in records_of(store, now_ms):
        return True
    return False

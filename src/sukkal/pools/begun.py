"""Moves that were begun. Each is a record, which only the latest of those who try the move can change."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import QueueMoved
from sukkal.model import QueueKey, Record, RecordKey
from sukkal.pools.places import place_key
from sukkal.records import Records

__all__ = ["MOVES", "UNKNOWN", "Move", "Moves", "Taken", "note_move"]

UNKNOWN: Final = -1
MOVES: Final = "queue-move"
_BEGINNING: Final = ("", "")


class Move(msgspec.Struct, frozen=True):
    """What was begun: a queue's move, and the hidden queues of which something may be staged.

    ``token`` is that of who took it last, 0 if nobody has. ``opening`` is that of who is about to open the target, or
    has opened it, 0 if nobody can have, ``UNKNOWN`` if it was begun by a version of us that did not note it.
    """

    source: str
    target: str
    backlogs: tuple[str, ...] = ()
    token: int | None = None
    opening: int = 0


class Taken:
    """A move in the hands of one mover, until another one takes it; ``first`` if nobody had it before."""

    def __init__(
        self, records: Records, key: QueueKey, move: Move, token: int, now_ms: Callable[[], int], *, first: bool
    ) -> None:
        self.key = key
        self.move = move
        self.token = token
        self.first = first
        self._records = records
        self._now_ms = now_ms

    async def change(self, **what: Any) -> None:
        """Change the record. Raises ``QueueMoved`` if another one has the move now."""
        new = replace(self.move, **what)
        if not await self._swap(msgspec.json.encode(new)):
            raise QueueMoved("Somebody else moves this queue now.")
        self.move = new

    async def end(self) -> None:
        """Forget the move, unless another one has it now, who will."""
        await self._swap(None)

    async def _swap(self, new: bytes | None) -> bool:
        old = msgspec.json.encode(self.move)
        return await self._records.swap_record(_move_key(self.key), old, new, now_ms=self._now_ms())


class Moves:
    """All moves that were begun and have not come to their end."""

    def __init__(self, records: Records, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._now_ms = now_ms
        self._after = _BEGINNING

    async def begun(self) -> list[QueueKey]:
        """Return some queues whose move was begun, each time others: those that cannot end must not be in the way."""
        after, now_ms = self._after, self._now_ms()
        page = await self._records.list_records(MOVES, None, after=after, limit=limits.PAGE_MAX, now_ms=now_ms)
        self._after = page.next or _BEGINNING
        if not page.records and after != _BEGINNING:
            return await self.begun()
        return [_key_of(record) for record in page.records]

    async def take(self, key: QueueKey) -> Taken | None:
        """Take the move of a queue from whoever had it. Raises ``QueueMoved`` if another one does at once."""
        now_ms = self._now_ms()
        record = await self._records.get_record(_move_key(key), now_ms=now_ms)
        if record is None:
            return None
        before = msgspec.json.decode(record.value, type=Move)
        # By the time, so that it is greater than those of earlier moves, too, of which no record is left.
        token = max((before.token or 0) + 1, now_ms)
        move = replace(before, token=token, opening=UNKNOWN if before.token is None else before.opening)
        if not await self._records.swap_record(_move_key(key), record.value, msgspec.json.encode(move), now_ms=now_ms):
            raise QueueMoved("Somebody else moves this queue now.")
        return Taken(self._records, key, move, token, self._now_ms, first=before.token == 0)


async def note_move(records: Records, key: QueueKey, source: str, target: str, *, now_ms: int) -> None:
    """Have a queue moved by whoever moves queues, unless it is being moved already."""
    move = Move(source, target, token=0)
    await records.swap_record(_move_key(key), None, msgspec.json.encode(move), now_ms=now_ms)


def _move_key(key: QueueKey) -> RecordKey:
    return place_key(key)._replace(kind=MOVES)


def _key_of(record: Record) -> QueueKey:
    kind, _, name = record.key.name.partition("/")
    return QueueKey(record.key.project, name, kind)  # type: ignore[arg-type]

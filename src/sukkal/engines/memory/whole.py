"""The calls on the store as a whole."""

from collections.abc import Sequence

from sukkal.engines.memory.moving import MovingInMemory
from sukkal.engines.memory.records import RecordsInMemory
from sukkal.model import QueueKey, Record, RecordKey

__all__ = ["WholeInMemory"]


class WholeInMemory(MovingInMemory, RecordsInMemory):
    """The part of the engine that is carried as a whole, or takes what is. See ``sukkal.whole``."""

    async def last_number(self) -> int:
        """Return a number that is not less than any that was given."""
        return self._sequence

    async def all_queues(self, after: QueueKey | None, *, limit: int) -> tuple[QueueKey, ...]:
        """Return queues by project, kind and name."""
        keys = sorted(self.queues, key=_place)
        return tuple(key for key in keys if after is None or _place(key) > _place(after))[:limit]

    async def all_records(self, after: RecordKey | None, *, limit: int, now_ms: int) -> tuple[Record, ...]:
        """Return live records by kind, project and name."""
        return tuple(each for each in self._records.all(now_ms=now_ms) if after is None or each.key > after)[:limit]

    async def begin_behind(self, last: int) -> None:
        """Give only greater numbers, and know nothing of what was before."""
        self._sequence = max(self._sequence, last)
        self._began = self._next()
        self._dropped.clear()

    async def bring_records(self, records: Sequence[Record]) -> None:
        """Keep records as they were elsewhere."""
        for each in records:
            self._records.bring(each)


def _place(key: QueueKey) -> tuple[str, str, str]:
    return key.project, key.kind, key.name

"""The calls on the store as a whole."""

from collections.abc import Sequence
from functools import partial

from sukkal.engines.postgresql import wholes
from sukkal.engines.postgresql.move_calls import MovingInPostgresql
from sukkal.engines.postgresql.record_calls import CONTROL
from sukkal.model import QueueKey, Record, RecordKey

__all__ = ["WholeInPostgresql"]


class WholeInPostgresql(MovingInPostgresql):
    """The part of the engine that is carried as a whole, or takes what is. See ``sukkal.whole``."""

    async def last_number(self) -> int:
        """Return a number that is not less than any that was given."""
        return await wholes.last_number(self._reads)

    async def all_queues(self, after: QueueKey | None, *, limit: int) -> tuple[QueueKey, ...]:
        """Return queues by project, kind and name."""
        return await wholes.all_queues(self._reads, after, limit=limit)

    async def all_records(self, after: RecordKey | None, *, limit: int, now_ms: int) -> tuple[Record, ...]:
        """Return live records by kind, project and name."""
        return await wholes.all_records(self._reads, after, limit=limit, now_ms=now_ms)

    async def begin_behind(self, last: int) -> None:
        """Give only greater numbers, and know nothing of what was before."""
        await self._step(CONTROL, partial(wholes.begin_behind, last=last))

    async def bring_records(self, records: Sequence[Record]) -> None:
        """Keep records as they were elsewhere."""
        await self._step(CONTROL, partial(wholes.bring_records, records=records))

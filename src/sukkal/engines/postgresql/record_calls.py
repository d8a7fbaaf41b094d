"""The calls on control records."""

from functools import partial
from typing import Any, Final

from sukkal.engines.postgresql import records
from sukkal.engines.postgresql.lanes import Lanes
from sukkal.engines.postgresql.reads import Reads
from sukkal.engines.postgresql.steps import Step, run_step
from sukkal.model import QueueKey, Record, RecordKey, RecordPage

__all__ = ["CONTROL", "RecordsInPostgresql"]

CONTROL: Final = QueueKey("", "", "index")
"""In the lane of this key are writes of what is of no queue."""


class RecordsInPostgresql:
    """The part of the engine that keeps records."""

    _lanes: Lanes
    _reads: Reads

    async def put_record(self, key: RecordKey, value: bytes, *, now_ms: int, expires_ms: int | None = None) -> Record:
        """Create the record, or replace its value and expiry."""
        step = partial(records.put_record, key=key, value=value, now_ms=now_ms, expires_ms=expires_ms)
        record: Record = await self._step(CONTROL, step)
        return record

    async def swap_record(
        self, key: RecordKey, old: bytes | None, new: bytes | None, *, now_ms: int, expires_ms: int | None = None
    ) -> bool:
        """Replace the value if it is still what the caller read."""
        step = partial(records.swap_record, key=key, old=old, new=new, now_ms=now_ms, expires_ms=expires_ms)
        return bool(await self._step(CONTROL, step))

    async def get_record(self, key: RecordKey, *, now_ms: int) -> Record | None:
        """Return the record, or ``None``."""
        return await records.get_record(self._reads, key, now_ms=now_ms)

    async def list_records(
        self, kind: str, project: str | None, *, after: tuple[str, str], limit: int, now_ms: int
    ) -> RecordPage:
        """Return a page of records by project and name."""
        return await records.list_records(self._reads, kind, project, after=after, limit=limit, now_ms=now_ms)

    async def delete_record(self, key: RecordKey, *, now_ms: int) -> bool:
        """Delete the record and tell whether there was one."""
        return bool(await self._step(CONTROL, partial(records.delete_record, key=key, now_ms=now_ms)))

    async def _step(self, key: QueueKey, step: Step) -> Any:
        # Each is a kind of its own, so that it is tried again alone.
        return await self._lanes.run_apart(key, partial(run_step, step))

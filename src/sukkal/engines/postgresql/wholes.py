"""Queries on all that there is, and steps that take what was elsewhere."""

from collections.abc import Sequence

from sukkal.engines.postgresql.batches import columns
from sukkal.engines.postgresql.database import Connection
from sukkal.engines.postgresql.reads import Fetching
from sukkal.engines.postgresql.statements import SQL
from sukkal.model import QueueKey, Record, RecordKey

__all__ = ["all_queues", "all_records", "begin_behind", "bring_records", "last_number"]


async def last_number(reads: Fetching) -> int:
    """Return a number that is not less than any that was given."""
    ((last,),) = await reads.fetch(SQL.last_number)
    return int(last)


async def all_queues(reads: Fetching, after: QueueKey | None, *, limit: int) -> tuple[QueueKey, ...]:
    """Return queues by project, kind and name."""
    start = (after.project, after.kind, after.name) if after else ("", "", "")
    return tuple([QueueKey(*row) for row in await reads.fetch(SQL.all_queues, *start, limit)])


async def all_records(reads: Fetching, after: RecordKey | None, *, limit: int, now_ms: int) -> tuple[Record, ...]:
    """Return live records by kind, project and name."""
    rows = await reads.fetch(SQL.all_records, *(after or ("", "", "")), now_ms, limit)
    return tuple(
        [
            Record(key=RecordKey(*key), value=value, created_ms=created_ms, expires_ms=expires_ms)
            for *key, value, created_ms, expires_ms in rows
        ]
    )


async def begin_behind(connection: Connection, *, last: int) -> None:
    """Give only greater numbers, and know nothing of what was before."""
    await connection.execute(SQL.lock_all_marks)
    await connection.execute(SQL.raise_all_numbers, last)
    await connection.execute(SQL.forget_before)


async def bring_records(connection: Connection, *, records: Sequence[Record]) -> None:
    """Keep records as they were elsewhere."""
    rows = [(*each.key, each.created_ms, each.expires_ms, each.value) for each in records]
    await connection.execute(SQL.bring_records, *columns(rows, 6))

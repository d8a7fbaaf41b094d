"""The calls on the store as a whole."""

from collections.abc import Sequence
from typing import Final

from sukkal.engines.sqlite.move_calls import MovingInSqlite
from sukkal.engines.sqlite.rows import fetch
from sukkal.engines.sqlite.statements import SQL
from sukkal.model import QueueKey, Record, RecordKey

__all__ = ["WholeInSqlite"]

_ANY: Final = 0
"""Under this number is noted what is not known of all queues that were."""


class WholeInSqlite(MovingInSqlite):
    """The part of the engine that is carried as a whole, or takes what is. See ``sukkal.whole``."""

    async def last_number(self) -> int:
        """Return a number that is not less than any that was given."""
        return self._catalogue.last

    async def all_queues(self, after: QueueKey | None, *, limit: int) -> tuple[QueueKey, ...]:
        """Return queues by project, kind and name."""
        start = (after.project, after.kind, after.name) if after else ("", "", "")
        rows = self.read(lambda: fetch(self._database.reader, SQL.all_queues, (*start, limit)))
        return tuple(QueueKey(*row) for row in rows)

    async def all_records(self, after: RecordKey | None, *, limit: int, now_ms: int) -> tuple[Record, ...]:
        """Return live records by kind, project and name."""
        start = after or ("", "", "")
        rows = self.read(lambda: fetch(self._database.reader, SQL.all_records, (*start, now_ms, limit)))
        return tuple(
            Record(key=RecordKey(*key), value=value, created_ms=created_ms, expires_ms=expires_ms)
            for *key, value, created_ms, expires_ms in rows
        )

    async def begin_behind(self, last: int) -> None:
        """Give only greater numbers, and know nothing of what was before."""

        def step() -> None:
            self._catalogue.raise_numbers(last)
            self._catalogue.removed(_ANY, self._catalogue.next_number())

        await self._commits.run(step)

    async def bring_records(self, records: Sequence[Record]) -> None:
        """Keep records as they were elsewhere."""
        rows = [(*each.key, each.created_ms, each.expires_ms, each.value) for each in records]

        def step() -> None:
            self._database.writer.executemany(SQL.bring_record, rows)

        await self._commits.run(step)

"""The calls on control records."""

from collections.abc import Callable
from typing import TypeVar

import apsw

from sukkal.engines.sqlite import records
from sukkal.engines.sqlite.database import Database, our_error
from sukkal.engines.sqlite.writer import GroupCommit
from sukkal.model import Record, RecordKey, RecordPage

__all__ = ["RecordsInSqlite"]

T = TypeVar("T")


class RecordsInSqlite:
    """The part of the engine that keeps records."""

    _database: Database
    _commits: GroupCommit

    @staticmethod
    def read(read: Callable[[], T]) -> T:
        """Run a read, whose failures are told as errors of ours."""
        try:
            return read()
        except apsw.Error as error:
            raise our_error(error) from error

    async def put_record(self, key: RecordKey, value: bytes, *, now_ms: int, expires_ms: int | None = None) -> Record:
        """Create the record, or replace its value and expiry."""
        return await self._commits.run(
            lambda: records.put_record(self._database.writer, key, value, now_ms=now_ms, expires_ms=expires_ms)
        )

    async def swap_record(
        self, key: RecordKey, old: bytes | None, new: bytes | None, *, now_ms: int, expires_ms: int | None = None
    ) -> bool:
        """Replace the value if it is still what the caller read."""
        writer = self._database.writer
        return await self._commits.run(
            lambda: records.swap_record(writer, key, old, new, now_ms=now_ms, expires_ms=expires_ms)
        )

    async def get_record(self, key: RecordKey, *, now_ms: int) -> Record | None:
        """Return the record, or ``None``."""
        return self.read(lambda: records.get_record(self._database.reader, key, now_ms=now_ms))

    async def list_records(
        self, kind: str, project: str | None, *, after: tuple[str, str], limit: int, now_ms: int
    ) -> RecordPage:
        """Return a page of records by project and name."""
        return self.read(
            lambda: records.list_records(self._database.reader, kind, project, after=after, limit=limit, now_ms=now_ms)
        )

    async def delete_record(self, key: RecordKey, *, now_ms: int) -> bool:
        """Delete the record and tell whether there was one."""
        return await self._commits.run(lambda: records.delete_record(self._database.writer, key, now_ms=now_ms))

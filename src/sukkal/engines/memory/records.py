"""The control records in memory."""

from sukkal.engines.memory.contents import remove
from sukkal.model import Record, RecordKey, RecordPage

__all__ = ["RecordTable", "RecordsInMemory"]


class RecordTable:
    """Records by their keys. See ``sukkal.records``."""

    def __init__(self) -> None:
        self._records: dict[RecordKey, Record] = {}

    def put(self, key: RecordKey, value: bytes, *, now_ms: int, expires_ms: int | None) -> Record:
        """Create the record, or replace its value and expiry."""
        present = self.get(key, now_ms=now_ms)
        created_ms = present.created_ms if present else now_ms
        record = self._records[key] = Record(key=key, value=value, created_ms=created_ms, expires_ms=expires_ms)
        return record

    def swap(
        self, key: RecordKey, old: bytes | None, new: bytes | None, *, now_ms: int, expires_ms: int | None
    ) -> bool:
        """Replace a live value by another one, either of which may be none."""
        present = self.get(key, now_ms=now_ms)
        if (present.value if present else None) != old:
            return False
        if new is not None:
            self.put(key, new, now_ms=now_ms, expires_ms=expires_ms)
        elif present is not None:
            del self._records[key]
        return True

    def get(self, key: RecordKey, *, now_ms: int) -> Record | None:
        """Return a live record."""
        record = self._records.get(key)
        return record if record is not None and _live(record, now_ms) else None

    def list(self, kind: str, project: str | None, *, after: tuple[str, str], limit: int, now_ms: int) -> RecordPage:
        """Return a page of live records by project and name."""
        keys = sorted(key for key in self._records if key.kind == kind and project in (None, key.project))
        records = (self._records[key] for key in keys if key[1:] > after)
        live = [record for record in records if _live(record, now_ms)]
        return RecordPage(tuple(live[:limit]), live[limit - 1].key[1:] if len(live) > limit else None)

    def all(self, *, now_ms: int) -> "tuple[Record, ...]":
        """Return all live records by their keys."""
        return tuple(self._records[key] for key in sorted(self._records) if _live(self._records[key], now_ms))

    def bring(self, record: Record) -> None:
        """Keep a record as it is."""
        self._records[record.key] = record

    def delete(self, key: RecordKey, *, now_ms: int) -> bool:
        """Delete a live record and tell whether there was one."""
        if self.get(key, now_ms=now_ms) is None:
            return False
        del self._records[key]
        return True

    def sweep(self, *, now_ms: int, limit: int) -> int:
        """Remove some of what has expired and return how much."""
        dead = [key for key, record in self._records.items() if not _live(record, now_ms)]
        return remove(self._records, dead[:limit])

    def clear(self) -> None:
        """Forget everything."""
        self._records.clear()


def _live(record: Record, now_ms: int) -> bool:
    return record.expires_ms is None or now_ms < record.expires_ms


class RecordsInMemory:
    """The part of the engine that keeps records."""

    _records: RecordTable

    async def put_record(self, key: RecordKey, value: bytes, *, now_ms: int, expires_ms: int | None = None) -> Record:
        """Create the record, or replace its value and expiry."""
        return self._records.put(key, value, now_ms=now_ms, expires_ms=expires_ms)

    async def swap_record(
        self, key: RecordKey, old: bytes | None, new: bytes | None, *, now_ms: int, expires_ms: int | None = None
    ) -> bool:
        """Replace the value if it is still what the caller read."""
        return self._records.swap(key, old, new, now_ms=now_ms, expires_ms=expires_ms)

    async def get_record(self, key: RecordKey, *, now_ms: int) -> Record | None:
        """Return the record, or ``None``."""
        return self._records.get(key, now_ms=now_ms)

    async def list_records(
        self, kind: str, project: str | None, *, after: tuple[str, str], limit: int, now_ms: int
    ) -> RecordPage:
        """Return a page of records by project and name."""
        return self._records.list(kind, project, after=after, limit=limit, now_ms=now_ms)

    async def delete_record(self, key: RecordKey, *, now_ms: int) -> bool:
        """Delete the record and tell whether there was one."""
        return self._records.delete(key, now_ms=now_ms)

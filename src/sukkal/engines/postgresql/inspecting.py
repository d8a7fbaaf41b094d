"""Reading what is kept in a database without changing it, also while nodes serve it."""

from sukkal.engines.postgresql.database import Database
from sukkal.engines.postgresql.statements import SCHEMA, SQL
from sukkal.model import RecordKey
from sukkal.postgresql.schema import SETUP
from sukkal.postgresql.telling import told

__all__ = ["kept"]


async def kept(url: str, key: RecordKey, *, now_ms: int, within_s: float) -> bytes | None:
    """Return the value of a live record, ``None`` without one. Raises ``StartupError``, which says what to do."""
    database = Database(url, connect_s=within_s, statement_s=within_s)
    with told(database.place):
        connection = await database.connect()
        try:
            if not await connection.fetchval(SETUP.has_versions, SCHEMA.name):
                return None
            value: bytes | None = await connection.fetchval(SQL.record, *key, now_ms)
            return value
        finally:
            await connection.close(timeout=within_s)

"""A picture of the whole store as it was at one moment, read while others go on writing."""

from types import TracebackType
from typing import Any, Self

import asyncpg

from sukkal.engines.postgresql import followed, wholes
from sukkal.engines.postgresql.database import Connection, Database
from sukkal.engines.postgresql.failures import FAILURES, our_error
from sukkal.errors import StartupError
from sukkal.model import QueueKey, Record, RecordKey
from sukkal.moving import Details, Frame, Stored

__all__ = ["PostgresqlPicture"]


class PostgresqlPicture:
    """All that a database had committed when the picture was taken: a ``sukkal.whole.Source``. Used as a context."""

    def __init__(self, url: str, *, connect_s: float, statement_s: float) -> None:
        self._database = Database(url, connect_s=connect_s, statement_s=statement_s)
        self._connection: Connection

    async def __aenter__(self) -> Self:
        await self._database.migrate()
        try:
            # Whoever carries what it shows may be slow; it holds nothing that others wait for.
            self._connection = await self._database.connect(
                default_transaction_isolation="repeatable read", idle_in_transaction_session_timeout="0"
            )
            transaction = self._connection.transaction(isolation="repeatable_read", readonly=True)
            await transaction.start()
            # The picture is taken by the first query.
            await self.last_number()
        except FAILURES as error:
            raise StartupError(f"PostgreSQL at {self._database.place} cannot be read: {error}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.terminate()

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Return all rows of a query."""
        try:
            return await self._connection.fetch(sql, *arguments)
        except FAILURES as error:
            raise our_error(error) from error

    async def last_number(self) -> int:
        """Return a number that is not less than any that was given."""
        return await wholes.last_number(self)

    async def all_queues(self, after: QueueKey | None, *, limit: int) -> tuple[QueueKey, ...]:
        """Return queues by project, kind and name."""
        return await wholes.all_queues(self, after, limit=limit)

    async def all_records(self, after: RecordKey | None, *, limit: int, now_ms: int) -> tuple[Record, ...]:
        """Return live records by kind, project and name."""
        return await wholes.all_records(self, after, limit=limit, now_ms=now_ms)

    async def frame(self, key: QueueKey) -> Frame | None:
        """Return a queue without what it holds."""
        return await followed.frame(self, key)

    async def stored_after(
        self, key: QueueKey, sequence: int, *, limit: int, now_ms: int, bytes_max: int | None = None
    ) -> tuple[Stored, ...]:
        """Return messages behind a sequence."""
        return await followed.stored_after(self, key, sequence, limit=limit, now_ms=now_ms, bytes_max=bytes_max)

    async def details(self, key: QueueKey, after: tuple[str, str], *, limit: int, now_ms: int) -> Details:
        """Return claims, acts and subscriptions of a queue."""
        return await followed.details(self, key, after, limit=limit, now_ms=now_ms)

"""Connections to a server: how they are set, and that the schema is there which they need."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from sukkal import limits
from sukkal.errors import DataTooNew, StartupError
from sukkal.postgresql.hosts import Hosts
from sukkal.postgresql.schema import SETUP, Schema
from sukkal.postgresql.telling import told

__all__ = ["Connection", "Database", "fetch_one"]

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection  # It has a parameter only in the types of it.

_VERSION_MIN: Final = 140_000
_SETTINGS: Final = {
    "application_name": "sukkal",
    # Every statement is written for one plan, of seeks. What the planner guesses of tables that grow and shrink all day
    # must not make it another.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
    # What a machine leaves open that has vanished is closed within two minutes, not after hours.
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
    "tcp_user_timeout": "60000",
}


class Database:
    """Where the database is with the tables of one part of us, and how long it may take to answer.

    Of several servers in the URL it is the one that takes writes.
    """

    def __init__(self, url: str, schema: Schema, *, connect_s: float, statement_s: float) -> None:
        self._hosts = Hosts(url)
        self._schema = schema
        self._connect_s = connect_s
        self._statement_s = statement_s

    @property
    def place(self) -> str:
        """The server and the database, without the user and the password."""
        return self._hosts.place

    @property
    def answer_s(self) -> float:
        """How long to wait for what a statement gives: the server's own limit comes first if it can."""
        return self._statement_s + 1

    async def connect(self, **settings: str) -> Connection:
        """Return a new connection, set as our statements need it."""
        return await self._connect(self.answer_s, settings)

    async def connect_patiently(self, **settings: str) -> Connection:
        """Return a new connection that waits for answers as long as it takes."""
        return await self._connect(None, settings)

    async def _connect(self, answer_s: float | None, settings: Mapping[str, str]) -> Connection:
        search_path = f"{self._schema.code_name}, {self._schema.name}"
        given = {
            **_SETTINGS,
            "search_path": search_path,
            "statement_timeout": _milliseconds(self._statement_s),
            # Who stands still between two statements of a transaction holds locks that others wait for.
            "idle_in_transaction_session_timeout": _milliseconds(self.answer_s),
            **settings,
        }

        async def connect(url: str, within_s: float) -> Connection:
            return await asyncpg.connect(
                url,
                timeout=within_s,
                command_timeout=answer_s,
                server_settings=given,
                target_session_attrs=SessionAttribute.read_write if self._hosts.several else None,
            )

        return await self._hosts.connect(connect, within_s=self._connect_s)

    async def migrate(self) -> None:
        """Bring the schema to this version. Raises ``StartupError``, which says what to do."""
        with told(self.place):
            # Making an index on much data may take longer than a request may.
            connection = await self.connect_patiently(statement_timeout="0", search_path=self._schema.name)
            try:
                await self._prepare(connection)
            finally:
                await connection.close(timeout=self._connect_s)

    async def _prepare(self, connection: Connection) -> None:
        schema = self._schema
        names = (schema.name, schema.code_name)
        version, standby, may_create, there, code_there = await fetch_one(connection, SETUP.server, *names)
        if version < _VERSION_MIN:
            raise StartupError(
                f"PostgreSQL at {self.place} has version {version // 10_000}; Sukkal needs {_VERSION_MIN // 10_000} or "
                "newer. Upgrade the server, or name another in the setting `store`."
            )
        if standby:
            raise StartupError(
                f"PostgreSQL at {self.place} is a standby, which takes no writes. Name the primary in the setting "
                "`store`, or all servers, separated by commas."
            )
        if not may_create and not (there and code_there):
            raise StartupError(
                f"The user may not make schemas in {self.place}. Let it own the database, or grant it CREATE there; "
                "the setting is `store`."
            )
        async with connection.transaction():
            await connection.execute(SETUP.one_at_a_time)
            if not there:
                await connection.execute(SETUP.create_schema.format(schema.name))
            await self._migrate_tables(connection)
            # Another node may have made it while this one waited.
            if (await fetch_one(connection, SETUP.server, *names))[4]:
                return
            await connection.execute(SETUP.create_schema.format(schema.code_name))
            await connection.execute(SETUP.make_functions_in.format(schema.code_name, schema.name))
            await connection.execute(schema.functions)

    async def _migrate_tables(self, connection: Connection) -> None:
        scripts = self._schema.migrations
        await connection.execute(SETUP.create_versions)
        version, works_with = await fetch_one(connection, SETUP.versions)
        if works_with > len(scripts):
            raise DataTooNew(
                f"The data in {self.place} have schema version {version}, which needs a version of Sukkal that knows "
                f"{works_with}; this one knows up to {len(scripts)}. Run a newer one. Nothing was changed."
            )
        for number, script in enumerate(scripts[version:], start=version + 1):
            await connection.execute(script)
            await connection.execute(SETUP.note_version, number, self._schema.works_with)


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * limits.SECOND_MS))


async def fetch_one(connection: Connection, sql: str, *arguments: Any) -> tuple[Any, ...]:
    """Return the row of a statement that always gives one."""
    row = await connection.fetchrow(sql, *arguments)
    assert row is not None  # noqa: S101 - narrows the type, cannot fail
    return tuple(row)

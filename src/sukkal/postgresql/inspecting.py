"""Looking at a database without changing it, also while nodes serve it."""

import msgspec

from sukkal.postgresql.database import Database, fetch_one
from sukkal.postgresql.schema import SETUP, Schema
from sukkal.postgresql.telling import told

__all__ = ["Inspection", "inspect"]


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What is at a place: a ``server`` of some version, and our tables of a ``version``, 0 without any.

    ``newest`` is the version that this program makes of them, and ``works_with`` what a program has to know for them.
    ``free`` are the connections that the server would still take, ``clock_ms`` is its time, and it is ``safe`` if what
    it has acknowledged survives a power cut.
    """

    place: str
    server: str
    standby: bool
    may_create: bool
    safe: bool
    free: int
    clock_ms: int
    version: int
    works_with: int
    newest: int


async def inspect(url: str, schema: Schema, *, within_s: float) -> Inspection:
    """Look at a database. Raises ``StartupError``, which says what to do."""
    database = Database(url, schema, connect_s=within_s, statement_s=within_s)
    with told(database.place):
        connection = await database.connect()
        try:
            row = await fetch_one(connection, SETUP.look)
            there = await connection.fetchval(SETUP.has_versions, schema.name)
            version, works_with = await fetch_one(connection, SETUP.versions) if there else (0, 0)
        finally:
            await connection.close(timeout=within_s)
    server, standby, may_create, safe, free, clock_ms = row
    return Inspection(
        place=database.place,
        server=server,
        standby=standby,
        may_create=may_create,
        safe=safe,
        free=free,
        clock_ms=clock_ms,
        version=version,
        works_with=works_with,
        newest=len(schema.migrations),
    )

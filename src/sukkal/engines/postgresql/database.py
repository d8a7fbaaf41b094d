"""The database as the engine uses it."""

from sukkal import postgresql
from sukkal.engines.postgresql.statements import SCHEMA
from sukkal.postgresql import Connection, fetch_one

__all__ = ["Connection", "Database", "fetch_one"]


class Database(postgresql.Database):
    """A database with the engine's tables."""

    def __init__(self, url: str, *, connect_s: float, statement_s: float) -> None:
        super().__init__(url, SCHEMA, connect_s=connect_s, statement_s=statement_s)

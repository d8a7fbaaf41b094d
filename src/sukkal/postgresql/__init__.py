"""What all parts share that keep something in PostgreSQL: connecting, and bringing their tables up to date."""

from sukkal.postgresql.database import Connection, Database, fetch_one
from sukkal.postgresql.failures import FAILURES, PASSING, UNFIT
from sukkal.postgresql.schema import Schema, statements

__all__ = ["FAILURES", "PASSING", "UNFIT", "Connection", "Database", "Schema", "fetch_one", "statements"]

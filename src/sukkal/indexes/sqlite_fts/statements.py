"""The index's SQL, read from its ``.sql`` files."""

from importlib import resources
from typing import Any, Final

import apsw

from sukkal.sql import Statements

__all__ = ["MATCHING", "SCHEMA", "SQL", "fetch"]


def _text(name: str) -> str:
    return (resources.files(__package__) / name).read_text("utf-8")


SQL: Final = Statements(_text("queries.sql"))

MATCHING: Final = Statements(_text("matching.sql"))

SCHEMA: Final = _text("schema.sql")


def fetch(connection: apsw.Connection, sql: str, bindings: Any = ()) -> list[Any]:
    """Return all rows of a statement; what is in them, the statement says."""
    return connection.execute(sql, bindings).fetchall()

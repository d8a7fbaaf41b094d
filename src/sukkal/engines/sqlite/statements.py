"""The engine's SQL, read from its ``.sql`` files: one attribute for each named statement."""

from importlib import resources
from typing import Final

from sukkal.sql import Statements

__all__ = ["SQL", "migrations"]


def migrations() -> list[str]:
    """Return the scripts that build the schema, in order: the n-th makes version n."""
    folder = resources.files(__package__) / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text("utf-8") for name in names]


_FILES: Final = ("queries.sql", "records.sql", "subscriptions.sql", "moving.sql", "whole.sql")

SQL: Final = Statements("".join((resources.files(__package__) / name).read_text("utf-8") for name in _FILES))

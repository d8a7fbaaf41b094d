"""The engine's SQL, read from its ``.sql`` files: one attribute for each named statement."""

import re
from importlib import resources
from typing import Final

__all__ = ["SQL", "Statements", "migrations"]

_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT: Final = re.compile(r"^--.*$\n?", re.MULTILINE)


class Statements:
    """Named statements; asking for an unknown name fails when the module that asks is imported or first run."""

    def __init__(self, text: str) -> None:
        _, *parts = _NAME.split(text)
        self._by_name = {name: _COMMENT.sub("", sql).strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}

    def __getattr__(self, name: str) -> str:
        try:
            sql = self._by_name[name]
        except KeyError:
            raise AttributeError(f"no statement named {name!r}") from None
        setattr(self, name, sql)
        return sql


def migrations() -> list[str]:
    """Return the scripts that build the schema, in order: the n-th makes version n."""
    folder = resources.files(__package__) / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text("utf-8") for name in names]


_FILES: Final = ("queries.sql", "records.sql", "subscriptions.sql")

SQL: Final = Statements("".join((resources.files(__package__) / name).read_text("utf-8") for name in _FILES))

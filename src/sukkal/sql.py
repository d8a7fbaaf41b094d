"""Statements that are written in ``.sql`` files, each under its name."""

import re
from typing import Final

__all__ = ["Statements"]

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

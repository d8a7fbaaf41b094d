"""What the calls of a batch ask for, as the columns that the database's functions take."""

from collections.abc import Iterable, Sequence
from typing import Any

from sukkal.engines.marks import mark_of
from sukkal.model import QueueKey

__all__ = ["KeyColumns", "columns", "known_as"]


class KeyColumns:
    """The queues of a batch, each once, by their places in the columns, which count from one."""

    def __init__(self) -> None:
        self._places: dict[QueueKey, int] = {}

    def place(self, key: QueueKey) -> int:
        """Return the place of a queue."""
        return self._places.setdefault(key, len(self._places) + 1)

    def columns(self) -> tuple[list[str], list[str], list[str]]:
        """Return the projects, kinds and names."""
        keys = list(self._places)
        return [key.project for key in keys], [key.kind for key in keys], [key.name for key in keys]

    def marks(self) -> list[int]:
        """Return the marks, which are counted from zero in this database."""
        return [-1 - mark_of(key) for key in self._places]


def columns(rows: Iterable[Sequence[Any]], count: int) -> list[Sequence[Any]]:
    """Return rows turned into so many columns, also if there are none."""
    return list(zip(*rows, strict=True)) or [()] * count


def known_as(name: str) -> str:
    """Return the id of something that may exist: an empty one, which nothing has, for what a text cannot hold."""
    return "" if "\0" in name else name

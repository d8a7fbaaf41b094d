"""What earlier runs have brought, in a file, because a service remembers a day only what was posted to it."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Self

__all__ = ["Journal", "JournalError"]

Place = tuple[str, str]


class JournalError(Exception):
    """The file cannot be used."""


class Journal:
    """The ids of the messages that were brought from one service to another, by project and queue.

    Used as a context. Without a path nothing is kept. Raises ``JournalError`` for a file that is something else, or
    tells of other services, and ``OSError`` for one that cannot be read or written.
    """

    def __init__(self, path: Path | None, *, source: str, destination: str) -> None:
        self._path = path
        self._head = {"from": source, "to": destination}
        self._brought: dict[Place, set[str]] = {}
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            self._file = self._path.open("a+", encoding="utf-8")
            try:
                self._file.seek(0)
                self._read(self._file.read())
            except BaseException:
                self._file.close()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def has(self, project: str, queue: str, id_: str) -> bool:
        """Tell whether a message was brought."""
        return id_ in self._brought.get((project, queue), ())

    def add(self, project: str, queue: str, ids: Iterable[str]) -> None:
        """Remember messages that were brought. They are on the disk when this returns."""
        added = list(ids)
        if added:
            self._brought.setdefault((project, queue), set()).update(added)
            self._write([project, queue, added])

    def _write(self, line: Any) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def _read(self, text: str) -> None:
        whole, newline, cut = text.rpartition("\n")
        if cut and self._file is not None:
            # The last line was being written when a run ended; its messages are found to be there when posted again.
            self._file.truncate(len((whole + newline).encode()))
        lines = whole.splitlines()
        if not lines:
            self._write(self._head)
            return
        try:
            head, *found = map(json.loads, lines)
            for project, queue, ids in found:
                self._brought.setdefault((project, queue), set()).update(ids)
        except (TypeError, ValueError):
            raise JournalError("it is not the state of an import") from None
        if head != self._head:
            raise JournalError("it is of an import between other services")

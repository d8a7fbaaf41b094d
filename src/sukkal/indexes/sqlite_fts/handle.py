"""A connection to a file that may be deleted or replaced at any time."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

from sukkal import limits
from sukkal.indexes.sqlite_fts.deadlines import Deadline
from sukkal.indexes.sqlite_fts.statements import SCHEMA, SQL

__all__ = ["Handle", "remove"]

_log: Final = logging.getLogger("sukkal.search")

_VERSION: Final = 2
_BUSY_TIMEOUT_MS: Final = 250
_CACHE_KIB: Final = 8_192
_NEW: Final = ".new"
_MAKES: Final = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE


class Handle:
    """Opens its file when it is needed, and anew when it has become another one. Used by one thread at a time.

    ``path`` is ``None`` for a database in memory. One that ``makes`` creates the file, or makes it anew if it is of
    another version. Work is given its time by ``deadline``.
    """

    def __init__(self, path: Path | None, elapsed_s: Callable[[], float], *, makes: bool) -> None:
        self._path = path
        self._makes = makes
        self._connection: apsw.Connection | None = None
        self._inode = 0
        self.deadline = Deadline(elapsed_s)

    def connection(self, project: str) -> apsw.Connection:
        """Return the open connection."""
        if self._connection is not None and self._inode != self._present():
            self.close()
        if self._connection is None:
            self._connection = self._open(project)
            self.deadline.watch(self._connection)
            self._inode = self._present()
        return self._connection

    def close(self) -> None:
        """Let go of the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close(True)

    def _present(self) -> int:
        try:
            return self._path.stat().st_ino if self._path is not None else 0
        except FileNotFoundError:
            return -1

    def _open(self, project: str) -> apsw.Connection:
        if self._path is None:
            connection = _connect(":memory:")
            _fill(connection, project)
            return connection
        if self._makes and not self._path.exists():
            _make(self._path, project)
        # Whoever only reads makes no file: one that was deleted just now would come back without its tables.
        connection = _connect(str(self._path), _MAKES if self._makes else apsw.SQLITE_OPEN_READWRITE)
        version = connection.execute("PRAGMA user_version").get
        if version == _VERSION or not self._makes:
            return connection
        _log.warning("the index %s is of version %s and is made anew", self._path, version)
        connection.close()
        remove(self._path)
        return self._open(project)


def remove(path: Path) -> None:
    """Delete a file with what SQLite keeps beside it."""
    for suffix in ("-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _make(path: Path, project: str) -> None:
    """Make a file that is whole from its first moment on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + _NEW)
    remove(new)
    connection = _connect(str(new))
    _fill(connection, project)
    connection.close()
    new.replace(path)


def _connect(name: str, flags: int = _MAKES) -> apsw.Connection:
    connection = apsw.Connection(name, flags=flags, statementcachesize=64)
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        f"journal_size_limit = {limits.SEARCH_LOG_BYTES_KEPT}",
        f"cache_size = -{_CACHE_KIB}",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _fill(connection: apsw.Connection, project: str) -> None:
    with connection:
        connection.execute(SCHEMA)
        connection.execute(SQL.put_kept, (project,))
        connection.execute(f"PRAGMA user_version = {_VERSION}")

"""A connection to a file that may be deleted or replaced at any time."""

import logging
from pathlib import Path
from typing import Final

import apsw

from sukkal import limits
from sukkal.indexes.sqlite_fts.statements import SCHEMA, SQL

__all__ = ["Handle", "remove"]

_log: Final = logging.getLogger("sukkal.search")

_VERSION: Final = 1
_BUSY_TIMEOUT_MS: Final = 250
_CACHE_KIB: Final = 8_192
_NEW: Final = ".new"
# A fraction of a millisecond.
_STEPS_BETWEEN_LOOKS: Final = 10_000


class Handle:
    """Opens its file when it is needed, and anew when it has become another one. Used by one thread at a time.

    ``path`` is ``None`` for a database in memory. One that ``makes`` creates the file, or makes it anew if it is of
    another version.
    """

    def __init__(self, path: Path | None, *, makes: bool) -> None:
        self._path = path
        self._makes = makes
        self._connection: apsw.Connection | None = None
        self._inode = 0
        self._time_is_up = False

    def connection(self, project: str) -> apsw.Connection:
        """Return the open connection."""
        if self._connection is not None and self._inode != self._present():
            self.close()
        if self._connection is None:
            self._connection = self._open(project)
            self._connection.set_progress_handler(lambda: self._time_is_up, _STEPS_BETWEEN_LOOKS)
            self._inode = self._present()
        return self._connection

    def break_off(self) -> None:
        """Let what the connection is at, or is about to begin, fail. Any thread may do so."""
        self._time_is_up = True

    def go_on(self) -> None:
        """Let what comes next take its time again."""
        self._time_is_up = False

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
        connection = _connect(str(self._path))
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


def _connect(name: str) -> apsw.Connection:
    connection = apsw.Connection(name, statementcachesize=64)
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

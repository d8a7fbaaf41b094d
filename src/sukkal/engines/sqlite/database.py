"""The data directory: one process at a time, one schema version, the settings that make a commit durable."""

import fcntl
import os
from pathlib import Path
from typing import Final

import apsw

from sukkal.engines.sqlite.statements import migrations
from sukkal.errors import DataInUse, DataTooNew, StartupError, StoreFull, StoreUnavailable, SukkalError

__all__ = ["APPLICATION_ID", "FILE", "LOCK", "SYNCHRONOUS", "Database", "our_error"]

FILE: Final = "messages.sqlite3"
LOCK: Final = "sukkal.lock"
APPLICATION_ID: Final = 0x53756B6B  # "Sukk", so that another program's database is not mistaken for ours.
_BUSY_TIMEOUT_MS: Final = 250
SYNCHRONOUS = "FULL"
"""What a commit waits for: the disk. Only a measurement of what that costs sets it to something else."""

_CACHE_KIB: Final = 65_536


class Database:
    """An open data directory.

    ``writer`` takes all changes, ``reader`` serves short reads from the event loop, ``counter`` long reads from a
    thread, and ``checkpointer`` moves the log into the database beside the commits.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock_file: int | None = None
        self._connections: list[apsw.Connection] = []
        self.writer: apsw.Connection
        self.reader: apsw.Connection
        self.counter: apsw.Connection
        self.checkpointer: apsw.Connection

    def open(self) -> None:
        """Lock and open the directory, creating or migrating what is there.

        Raises ``DataInUse``, ``DataTooNew`` or ``StartupError``, each saying what to do.
        """
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._lock()
            path = self._directory / FILE
            self.writer = self._connect(path)
            self._migrate()
            self.reader, self.counter, self.checkpointer = (self._connect(path) for _ in range(3))
        except SukkalError:
            self.close()
            raise
        except (apsw.Error, OSError) as error:
            self.close()
            raise StartupError(
                f"The data directory {self._directory} cannot be opened: {error}. Check that it is a directory which "
                "this user can write and that its files are Sukkal's; the setting is `store`."
            ) from error

    def close(self) -> None:
        """Close all connections and give up the lock. Closing twice is harmless."""
        for connection in reversed(self._connections):
            connection.close()
        self._connections.clear()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _lock(self) -> None:
        # SQLite's own locks would let a second process in between two transactions; the engine keeps state in memory.
        self._lock_file = os.open(self._directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._lock_file, 32).decode("ascii", "replace").strip() or "unknown"
            raise DataInUse(
                f"The data directory {self._directory} is in use by process {owner}. One process at a time may serve "
                "it: stop the other one, or give this one another directory with the setting `store`."
            ) from None
        os.ftruncate(self._lock_file, 0)
        os.write(self._lock_file, f"{os.getpid()}\n".encode("ascii"))

    def _connect(self, path: Path) -> apsw.Connection:
        connection = apsw.Connection(str(path), statementcachesize=256)
        self._connections.append(connection)
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        # Otherwise a statement is planned anew for each new value of a bound parameter, which costs more than it does.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {SYNCHRONOUS}",
            "wal_autocheckpoint = 0",
            f"cache_size = -{_CACHE_KIB}",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _migrate(self) -> None:
        scripts = migrations()
        version = self._pragma("user_version")
        if version > len(scripts):
            raise DataTooNew(
                f"The data in {self._directory} has schema version {version}; this version of Sukkal knows up to "
                f"{len(scripts)}. Run the version that wrote it, or a newer one. Nothing was changed."
            )
        if self._pragma("application_id") not in (0, APPLICATION_ID):
            raise StartupError(f"{self._directory / FILE} is a database of another program. Nothing was changed.")
        for number, script in enumerate(scripts[version:], start=version + 1):
            with self.writer:
                self.writer.execute(script)
                self.writer.execute(f"PRAGMA user_version = {number}")
                self.writer.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _pragma(self, name: str) -> int:
        return int(self.writer.execute(f"PRAGMA {name}").get)


def our_error(error: apsw.Error) -> SukkalError:
    """Return the error of ours that tells a caller what a failure of the database means for its request."""
    if isinstance(error, apsw.FullError):
        return StoreFull("The store is full; nothing was kept. Free some space, then try again.")
    return StoreUnavailable("The store could not do it. Please try again in a few seconds.")

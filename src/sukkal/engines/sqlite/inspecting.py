"""Looking at a data directory without changing it, also while a process serves it."""

import fcntl
import os
from pathlib import Path
from typing import Final

import apsw
import msgspec

from sukkal.engines.sqlite.database import APPLICATION_ID, FILE, LOCK
from sukkal.engines.sqlite.statements import SQL, migrations
from sukkal.errors import StartupError
from sukkal.model import RecordKey

__all__ = ["Inspection", "inspect", "kept"]

_READ_ONLY: Final = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a directory: the ``version`` of its data, 0 without any, and the ``newest`` that can be read.

    ``owner`` is the id of the process that serves it, empty if none does.
    """

    version: int
    newest: int
    owner: str


def inspect(directory: Path) -> Inspection:
    """Look at a directory that is there. Raises ``StartupError`` for one whose data are not ours or unreadable."""
    path = directory / FILE
    version = _version(path) if path.exists() else 0
    return Inspection(version=version, newest=len(migrations()), owner=_owner(directory / LOCK))


def kept(directory: Path, key: RecordKey, *, now_ms: int) -> bytes | None:
    """Return the value of a live record, ``None`` without one. Raises ``StartupError`` for data that are unreadable."""
    path = directory / FILE
    if not path.exists():
        return None
    try:
        connection = _open(path)
        try:
            for value, *_ in connection.execute(SQL.record, (*key, now_ms)):
                return bytes(value)
        finally:
            connection.close()
    except apsw.Error as error:
        raise StartupError(f"{path} cannot be read: {error}") from error
    return None


def _open(path: Path) -> apsw.Connection:
    return apsw.Connection(path.absolute().as_uri() + "?mode=ro", flags=_READ_ONLY)


def _version(path: Path) -> int:
    try:
        connection = _open(path)
        try:
            version, application = (
                int(connection.execute(f"PRAGMA {name}").get) for name in ("user_version", "application_id")
            )
        finally:
            connection.close()
    except apsw.Error as error:
        raise StartupError(f"{path} cannot be read: {error}") from error
    if application not in (0, APPLICATION_ID):
        raise StartupError(f"{path} is a database of another program.")
    return version


def _owner(path: Path) -> str:
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(lock, 32).decode("ascii", "replace").strip() or "unknown"
    finally:
        os.close(lock)
    return ""

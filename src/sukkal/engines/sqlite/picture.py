"""A picture of a data directory as it was at one moment, taken while a process serves it."""

from pathlib import Path
from typing import Final

import apsw

from sukkal.engines.sqlite.database import FILE
from sukkal.engines.sqlite.inspecting import inspect
from sukkal.engines.sqlite.statements import SQL
from sukkal.errors import DataTooNew, StartupError

__all__ = ["take_picture"]

_PAGES: Final = 1_024
_BUSY_TIMEOUT_MS: Final = 10_000


def take_picture(directory: Path, into: Path) -> None:
    """Copy what is committed into a directory that an engine can open. Raises ``StartupError``.

    Writers go on meanwhile; what they write stays in the log until the copy is made.
    """
    path = directory / FILE
    if not path.exists():
        raise StartupError(f"There are no data of Sukkal's in {directory}.")
    found = inspect(directory)
    if found.version > found.newest:
        raise DataTooNew(
            f"The data in {directory} have schema version {found.version}; this version of Sukkal knows up to "
            f"{found.newest}. Run the version that wrote it, or a newer one."
        )
    source, copy = _open(path, apsw.SQLITE_OPEN_READWRITE), apsw.Connection(str(into / FILE))
    try:
        # The transaction holds on to one state. Otherwise each commit of the other process would begin the copy anew.
        source.execute(SQL.begin_picture)
        source.execute(SQL.counter).get  # noqa: B018 - it is the first read that takes the picture
        with copy.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(_PAGES)
    except apsw.Error as error:
        raise StartupError(f"{path} cannot be copied to {into}: {error}") from error
    finally:
        copy.close()
        source.close()


def _open(path: Path, flags: int) -> apsw.Connection:
    try:
        connection = apsw.Connection(str(path), flags=flags)
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    except apsw.Error as error:
        raise StartupError(f"{path} cannot be read: {error}") from error
    return connection

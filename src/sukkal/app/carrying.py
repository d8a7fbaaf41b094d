"""Stores that are carried as a whole: where they are, and that nobody serves them meanwhile."""

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Protocol

from sukkal.engines.sqlite import SqliteEngine
from sukkal.errors import SettingsError, StartupError
from sukkal.extras import needs_extra
from sukkal.settings.passwords import without_password
from sukkal.whole import Source, Target

__all__ = ["name_of", "picture", "source", "target"]

_SQLITE: Final = "sqlite:///"
_POSTGRESQL: Final = "postgresql://"
_FILE: Final = "messages.sqlite3"
_CONNECT_S: Final = 10.0
_LANES: Final = 8
_STATEMENT_S: Final = 300.0
"""Letting many queues be seen at once may take longer than what somebody waits for."""


class _Engine(Target, Protocol):
    """A target with a life of its own."""

    async def start(self) -> None:
        """Open and migrate the data."""

    async def close(self) -> None:
        """Let go of everything."""


@contextlib.asynccontextmanager
async def source(uri: str) -> AsyncIterator[Source]:
    """Open a store that is there and that nobody serves now. Raises ``StartupError``."""
    directory = _directory(uri)
    if directory is not None and not (directory / _FILE).exists():
        raise StartupError(f"There are no data of Sukkal's in {directory}.")
    async with target(uri) as engine:
        yield engine


@contextlib.asynccontextmanager
async def target(uri: str) -> AsyncIterator[Target]:
    """Open a store that nobody serves now, and make it if it is not there. Raises ``StartupError``."""
    engine = _engine(uri)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


@contextlib.asynccontextmanager
async def picture(uri: str, beside: Path) -> AsyncIterator[Source]:
    """Open a store as it is at this moment, while it is served. Raises ``StartupError``.

    That of a directory is made in a folder ``beside``, and takes as much room.
    """
    directory = _directory(uri)
    if directory is None:
        with needs_extra("postgresql", "To read messages from PostgreSQL"):
            from sukkal.engines.postgresql.picture import PostgresqlPicture

        async with PostgresqlPicture(uri, connect_s=_CONNECT_S, statement_s=_STATEMENT_S) as taken:
            yield taken
        return
    from sukkal.engines.sqlite.picture import take_picture

    with tempfile.TemporaryDirectory(prefix=".sukkal-backup-", dir=beside) as folder:
        take_picture(directory, Path(folder))
        engine = SqliteEngine(Path(folder))
        await engine.start()
        try:
            yield engine
        finally:
            await engine.close()


def name_of(uri: str) -> str:
    """Return a store's URI as it may be shown, the same from wherever it is asked for."""
    directory = _directory(uri)
    return without_password(uri) if directory is None else f"{_SQLITE}{directory.resolve()}"


def _engine(uri: str) -> _Engine:
    directory = _directory(uri)
    if directory is not None:
        return SqliteEngine(directory)
    with needs_extra("postgresql", "To move messages to or from PostgreSQL"):
        from sukkal.engines.postgresql import PostgresqlEngine

    return PostgresqlEngine(uri, connect_s=_CONNECT_S, statement_s=_STATEMENT_S, lanes=_LANES, alone=True)


def _directory(uri: str) -> Path | None:
    """Return the directory of a store; ``None`` for a database. Raises ``SettingsError`` for anything else."""
    if uri.startswith(_SQLITE) and len(uri) > len(_SQLITE):
        return Path(uri.removeprefix(_SQLITE))
    if uri.startswith(_POSTGRESQL):
        return None
    raise SettingsError("A store is named by sqlite:///DIR, sqlite:////ABSOLUTE/DIR or postgresql://...")

"""Queues move into a PostgreSQL database, out of it, and from one to another."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sukkal.engines.memory import MemoryEngine
from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.testing.contract_moving import DurableMovingContract, MovingContract
from sukkal.testing.move_ends import Ends, MovableEngine
from tests.engines.postgresql_server import PostgreSQL


@pytest.fixture(scope="module")
def databases(postgresql: PostgreSQL) -> dict[str, str]:
    """Return the URLs of two databases that are emptied again and again."""
    return {name: postgresql.new_store() for name in ("source", "target")}


class OnPostgresql(MovingContract):
    """The contract with databases of a server; a subclass may have another engine at one of the ends."""

    urls: dict[str, str]

    @pytest.fixture
    def ends(self, tmp_path: Path, postgresql: PostgreSQL, databases: dict[str, str]) -> Iterator[Ends]:
        for url in databases.values():
            postgresql.empty(url)
        self.urls = databases
        ends = Ends(lambda name: self.make_engine(tmp_path / name))
        yield ends
        ends.close()

    def make_engine(self, directory: Path) -> MovableEngine:
        return PostgresqlEngine(self.urls[directory.name], lanes=1)


class TestFromPostgresqlToPostgresql(OnPostgresql, DurableMovingContract):
    """Both ends are databases."""


class TestFromPostgresqlToDisk(OnPostgresql, DurableMovingContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return SqliteEngine(directory) if directory.name == "target" else super().make_engine(directory)


class TestFromDiskToPostgresql(OnPostgresql, DurableMovingContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return SqliteEngine(directory) if directory.name == "source" else super().make_engine(directory)


class TestFromPostgresqlToMemory(OnPostgresql):
    def make_engine(self, directory: Path) -> MovableEngine:
        return MemoryEngine() if directory.name == "target" else super().make_engine(directory)


class TestFromMemoryToPostgresql(OnPostgresql):
    def make_engine(self, directory: Path) -> MovableEngine:
        return MemoryEngine() if directory.name == "source" else super().make_engine(directory)

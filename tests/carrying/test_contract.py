"""The engines are carried into each other as a whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.postgresql_server import PostgreSQL

from sukkal.engines.memory import MemoryEngine
from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.testing.contract_whole import WholeContract
from sukkal.testing.move_ends import Ends, MovableEngine


class TestMemory(WholeContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return MemoryEngine()


class TestSqlite(WholeContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return SqliteEngine(directory)


@pytest.fixture(scope="module")
def databases(postgresql: PostgreSQL) -> dict[str, str]:
    """Return the URLs of two databases that are emptied again and again."""
    return {name: postgresql.new_store() for name in ("source", "target")}


class OnPostgresql(WholeContract):
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


class TestFromPostgresqlToPostgresql(OnPostgresql):
    """Both ends are databases."""


class TestFromDiskToPostgresql(OnPostgresql):
    def make_engine(self, directory: Path) -> MovableEngine:
        return SqliteEngine(directory) if directory.name == "source" else super().make_engine(directory)


class TestFromPostgresqlToDisk(OnPostgresql):
    def make_engine(self, directory: Path) -> MovableEngine:
        return SqliteEngine(directory) if directory.name == "target" else super().make_engine(directory)

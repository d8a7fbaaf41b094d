"""The engines are carried into each other as a whole."""

from pathlib import Path

from tests.engines.postgresql_ends import OnPostgresql

from sukkal.engines.memory import MemoryEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.testing.contract_whole import WholeContract
from sukkal.testing.move_ends import MovableEngine


class TestMemory(WholeContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return MemoryEngine()


class TestSqlite(WholeContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return SqliteEngine(directory)


class TestFromPostgresqlToPostgresql(OnPostgresql, WholeContract):
    """Both ends are databases."""


class TestFromDiskToPostgresql(OnPostgresql, WholeContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return SqliteEngine(directory) if directory.name == "source" else super().make_engine(directory)


class TestFromPostgresqlToDisk(OnPostgresql, WholeContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return SqliteEngine(directory) if directory.name == "target" else super().make_engine(directory)

"""Queues move into a PostgreSQL database, out of it, and from one to another."""

from pathlib import Path

from sukkal.engines.memory import MemoryEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.testing.contract_moving import DurableMovingContract, MovingContract
from sukkal.testing.move_ends import MovableEngine
from tests.engines.postgresql_ends import OnPostgresql


class TestFromPostgresqlToPostgresql(OnPostgresql, DurableMovingContract):
    """Both ends are databases."""


class TestFromPostgresqlToDisk(OnPostgresql, DurableMovingContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return SqliteEngine(directory) if directory.name == "target" else super().make_engine(directory)


class TestFromDiskToPostgresql(OnPostgresql, DurableMovingContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return SqliteEngine(directory) if directory.name == "source" else super().make_engine(directory)


class TestFromPostgresqlToMemory(OnPostgresql, MovingContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return MemoryEngine() if directory.name == "target" else super().make_engine(directory)


class TestFromMemoryToPostgresql(OnPostgresql, MovingContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return MemoryEngine() if directory.name == "source" else super().make_engine(directory)

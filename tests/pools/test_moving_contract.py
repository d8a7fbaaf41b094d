"""The engines give their queues to each other."""

from pathlib import Path

from sukkal.engines.memory import MemoryEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.testing.contract_moving import DurableMovingContract, MovingContract
from sukkal.testing.move_ends import MovableEngine


class TestMemory(MovingContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return MemoryEngine()


class TestSqlite(DurableMovingContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return SqliteEngine(directory)


class TestFromMemoryToDisk(MovingContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return MemoryEngine() if directory.name == "source" else SqliteEngine(directory)


class TestFromDiskToMemory(MovingContract):
    def make_engine(self, directory: Path) -> MovableEngine:
        return SqliteEngine(directory) if directory.name == "source" else MemoryEngine()

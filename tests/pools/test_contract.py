"""Many engines pass the contract as one does."""

from pathlib import Path

from sukkal.engines.memory import MemoryEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.store import Engine
from sukkal.testing import DurableStoreContract, StoreContract, store_machine
from tests.pools.pooled import Pools


def in_memory(directory: Path) -> Engine:
    return Pools(MemoryEngine(), ["memory://1", "memory://2", "memory://3"])


def on_disk(directory: Path) -> Engine:
    return Pools(SqliteEngine(directory / "home"), [f"sqlite:///{directory / name}" for name in "abc"])


class TestPoolsInMemory(StoreContract):
    def make_engine(self, directory: Path) -> Engine:
        return in_memory(directory)


class TestPoolsOnDisk(DurableStoreContract):
    def make_engine(self, directory: Path) -> Engine:
        return on_disk(directory)


class TestNoPool(DurableStoreContract):
    def make_engine(self, directory: Path) -> Engine:
        return Pools(SqliteEngine(directory), [])


TestHistoriesOfPoolsInMemory = store_machine(in_memory, durable=False).TestCase
TestHistoriesOfPoolsOnDisk = store_machine(on_disk, durable=True).TestCase

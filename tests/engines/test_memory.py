"""The memory engine passes the contract."""

from pathlib import Path

from sukkal.engines.memory import MemoryEngine
from sukkal.store import Engine
from sukkal.testing import StoreContract, store_machine


class TestMemory(StoreContract):
    def make_engine(self, directory: Path) -> Engine:
        return MemoryEngine()


# One is swept at random and the other never: sweeping must not change an answer.
TestMemoryHistories = store_machine(lambda directory: MemoryEngine(), durable=False).TestCase

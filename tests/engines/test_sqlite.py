"""The SQLite engine passes the contract."""

from pathlib import Path

from sukkal.engines.sqlite import SqliteEngine
from sukkal.store import Engine
from sukkal.testing import DurableStoreContract, store_machine


class TestSqlite(DurableStoreContract):
    def make_engine(self, directory: Path) -> Engine:
        return SqliteEngine(directory)


TestSqliteHistories = store_machine(SqliteEngine, durable=True).TestCase

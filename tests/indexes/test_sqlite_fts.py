"""The embedded index passes the contract, and what only it can get wrong."""

from pathlib import Path

from sukkal.clock import elapsed_s
from sukkal.indexes.sqlite_fts import SqliteIndex
from sukkal.search import SearchIndex
from sukkal.testing.contract_search import DurableSearchContract, SearchContract


class TestOnDisk(DurableSearchContract):
    def make_index(self, directory: Path, *, bytes_max: int) -> SearchIndex:
        return SqliteIndex(directory / "search", bytes_max=bytes_max, elapsed_s=elapsed_s)


class TestInMemory(SearchContract):
    def make_index(self, directory: Path, *, bytes_max: int) -> SearchIndex:
        return SqliteIndex(None, bytes_max=bytes_max, elapsed_s=elapsed_s)

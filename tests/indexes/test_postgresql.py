"""The index in PostgreSQL passes the contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.postgresql_server import PostgreSQL

from sukkal.app.engines import index_of
from sukkal.indexes.postgresql import PostgresqlIndex
from sukkal.indexes.sqlite_fts import SqliteIndex
from sukkal.search import SearchIndex
from sukkal.settings import Settings
from sukkal.testing.contract_search import DurableSearchContract


class TestPostgresql(DurableSearchContract):
    @pytest.fixture(autouse=True)
    def its_database(self, postgresql: PostgreSQL) -> Iterator[None]:
        self.url = postgresql.new_database()
        yield
        postgresql.drop_database(self.url)

    def make_index(self, directory: Path, *, bytes_max: int) -> SearchIndex:
        return PostgresqlIndex(self.url, bytes_max=bytes_max)


def test_a_store_in_postgresql_has_its_index_there_and_any_other_in_files_or_in_memory() -> None:
    assert isinstance(index_of(Settings(store="postgresql://127.0.0.1/sukkal")), PostgresqlIndex)
    assert isinstance(index_of(Settings(store="sqlite:///data")), SqliteIndex)
    assert isinstance(index_of(Settings(store="memory://")), SqliteIndex)

"""Many engines pass the contract as one does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from sukkal.engines.memory import MemoryEngine
from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.store import Engine
from sukkal.testing import DurableStoreContract, StoreContract, store_machine
from sukkal.testing.store_machine import StoreMachine
from sukkal.testing.subject import Subject
from tests.engines.postgresql_server import PostgreSQL
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


class TestPoolsOfPostgresql(DurableStoreContract):
    @pytest.fixture
    def subject(self, three_databases: list[str]) -> Iterator[Subject]:
        subject = Subject(lambda: of_postgresql(three_databases))
        yield subject
        subject.close()


def of_postgresql(urls: list[str]) -> Engine:
    home, *pools = urls
    return Pools(PostgresqlEngine(home, lanes=1), pools)


def test_random_histories_of_pools_of_postgresql_go_as_in_memory(
    three_databases: list[str], postgresql: PostgreSQL
) -> None:
    class Machine(StoreMachine):
        durable = True

        @staticmethod
        def make_engine(directory: Path) -> Engine:
            return of_postgresql(three_databases)

        def teardown(self) -> None:
            super().teardown()
            for url in three_databases:
                postgresql.empty(url)

    run_state_machine_as_test(Machine, settings=settings(max_examples=5))


TestHistoriesOfPoolsInMemory = store_machine(in_memory, durable=False).TestCase
TestHistoriesOfPoolsOnDisk = store_machine(on_disk, durable=True).TestCase

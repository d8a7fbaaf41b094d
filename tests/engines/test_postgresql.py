"""The PostgreSQL engine passes the contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.store import Engine
from sukkal.testing import DurableStoreContract
from sukkal.testing.store_machine import StoreMachine
from sukkal.testing.subject import Subject
from tests.engines.postgresql_server import PostgreSQL


@pytest.fixture(scope="module")
def shared(postgresql: PostgreSQL) -> str:
    """Return the URL of a database that is emptied again and again."""
    return postgresql.new_store()


class TestPostgresql(DurableStoreContract):
    @pytest.fixture
    def subject(self, postgresql: PostgreSQL, shared: str) -> Iterator[Subject]:
        # To make a database for each takes longer than most of the tests do.
        postgresql.empty(shared)
        subject = Subject(lambda: PostgresqlEngine(shared, lanes=1))
        yield subject
        subject.close()


@pytest.fixture(scope="module")
def machine(postgresql: PostgreSQL, shared: str) -> type[StoreMachine]:
    """Return the machine for engines on this server, of which each history begins with nothing."""

    class PostgresqlMachine(StoreMachine):
        durable = True

        @staticmethod
        def make_engine(directory: Path) -> Engine:
            return PostgresqlEngine(shared, lanes=1)

        def teardown(self) -> None:
            super().teardown()
            postgresql.empty(shared)

    return PostgresqlMachine


def test_random_histories_go_as_in_memory(machine: type[StoreMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=25))

"""The PostgreSQL engine passes the contract with older servers, too."""

from collections.abc import Iterator

import pytest

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.testing import DurableStoreContract
from sukkal.testing.subject import Subject
from tests.engines.postgresql_older import VERSIONS, older_binaries
from tests.engines.postgresql_server import PostgreSQL


@pytest.fixture(scope="module", params=VERSIONS)
def older(request: pytest.FixtureRequest) -> Iterator[PostgreSQL]:
    """Return a server of an older version."""
    with PostgreSQL(programs=older_binaries(request.param)) as server:
        yield server


@pytest.fixture(scope="module")
def shared_older(older: PostgreSQL) -> str:
    """Return the URL of a database of that server that is emptied again and again."""
    return older.new_store()


class TestOlderPostgresql(DurableStoreContract):
    @pytest.fixture
    def subject(self, older: PostgreSQL, shared_older: str) -> Iterator[Subject]:
        older.empty(shared_older)
        subject = Subject(lambda: PostgresqlEngine(shared_older, lanes=1))
        yield subject
        subject.close()

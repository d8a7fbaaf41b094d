"""What the tests of engines share."""

from collections.abc import Iterator

import pytest

from tests.engines.postgresql_server import PostgreSQL


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """Return a server for the whole run."""
    with PostgreSQL() as server:
        yield server


@pytest.fixture
def store(postgresql: PostgreSQL) -> Iterator[str]:
    """Return the URL of a database of the test's own."""
    url = postgresql.new_store()
    yield url
    postgresql.drop_database(url)

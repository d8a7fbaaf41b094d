"""What the tests of engines share."""

from collections.abc import Iterator

import pytest

from tests.engines.postgresql_server import PostgreSQL


@pytest.fixture
def store(postgresql: PostgreSQL) -> Iterator[str]:
    """Return the URL of a database of the test's own."""
    url = postgresql.new_store()
    yield url
    postgresql.drop_database(url)

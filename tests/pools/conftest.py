"""What the tests of pools share."""

import pytest

from tests.engines.postgresql_server import PostgreSQL


@pytest.fixture(scope="session")
def databases_of_pools(postgresql: PostgreSQL) -> list[str]:
    """Return the URLs of databases that are emptied again and again."""
    return [postgresql.new_store() for _ in range(3)]


@pytest.fixture
def three_databases(postgresql: PostgreSQL, databases_of_pools: list[str]) -> list[str]:
    """Return the URLs of databases with nothing in them."""
    for url in databases_of_pools:
        postgresql.empty(url)
    return databases_of_pools

"""What the tests of nodes share."""

from collections.abc import Iterator

import pytest

from tests.engines.postgresql_server import PostgreSQL
from tests.serving import ServerProcess


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


@pytest.fixture
def pair(store: str) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """Return two nodes at one database."""
    with (
        ServerProcess(store, "--log-level", "warning") as here,
        ServerProcess(store, "--log-level", "warning") as there,
    ):
        yield here, there
        assert here.stop() == there.stop() == 0
        assert "Traceback" not in here.stderr + there.stderr

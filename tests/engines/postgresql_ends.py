"""A source and a target in databases of a server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.testing.move_ends import Ends, MovableEngine, TwoEnds
from tests.engines.postgresql_server import PostgreSQL

__all__ = ["OnPostgresql"]


class OnPostgresql(TwoEnds):
    """Both ends are databases; a subclass may have another engine at one of them."""

    urls: dict[str, str]

    @pytest.fixture(scope="class")
    @classmethod
    def databases(cls, postgresql: PostgreSQL) -> dict[str, str]:
        """Return the URLs of two databases that are emptied again and again."""
        return {name: postgresql.new_store() for name in ("source", "target")}

    @pytest.fixture
    def ends(self, tmp_path: Path, postgresql: PostgreSQL, databases: dict[str, str]) -> Iterator[Ends]:
        """Return a source and a target, both empty."""
        for url in databases.values():
            postgresql.empty(url)
        self.urls = databases
        ends = Ends(lambda name: self.make_engine(tmp_path / name))
        yield ends
        ends.close()

    def make_engine(self, directory: Path) -> MovableEngine:
        """Return a new engine, not started, on the database of that end."""
        return PostgresqlEngine(self.urls[directory.name], lanes=1)

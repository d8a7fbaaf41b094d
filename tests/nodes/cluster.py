"""A primary with a synchronous standby, which takes its place when it is killed."""

from typing import Final

from tests.closing import Closing
from tests.engines.postgresql_server import PostgreSQL
from tests.ports import free_port

__all__ = ["DATABASES", "Cluster"]

DATABASES: Final = ("sukkal", "another")


class Cluster(Closing):
    """Two servers, of which one takes writes. ``store`` names both, so it stays the same whichever does."""

    def __init__(self) -> None:
        self.primary = PostgreSQL()
        self.standby: PostgreSQL | None = None
        try:
            for name in DATABASES:
                self.primary.execute(f"CREATE DATABASE {name}")
            self.ports = (self.primary.port, free_port())
            self.follow()
        except BaseException:
            self.close()
            raise

    def store(self, database: str = DATABASES[0]) -> str:
        """Return where a database is, as the setting ``store`` has it."""
        user, _, rest = self.primary.url(database).rpartition("@")
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"{user}@{hosts}/{rest.partition('/')[2]}"

    def follow(self) -> None:
        """Make a new standby, without which nothing is acknowledged from then on."""
        (port,) = {*self.ports} - {self.primary.port}
        self.standby = PostgreSQL(standby_of=self.primary, port=port)
        self.primary.wait_for_standby()

    def fail_over(self) -> None:
        """Let the standby take the place of the primary, which was killed. It has no standby of its own yet."""
        assert self.standby is not None
        self.primary.close()
        self.primary, self.standby = self.standby, None
        self.primary.promote()
        self.primary.wait_for_nobody()

    def close(self) -> None:
        """Stop both."""
        for server in (self.standby, self.primary):
            if server is not None:
                server.close()

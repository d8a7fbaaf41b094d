"""The service as a process of its own, for tests that drive it from outside."""

import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Final

from tests.closing import Closing

__all__ = ["FailedToStart", "ServerProcess"]

ROOT: Final = Path(__file__).resolve().parents[1]

_READY: Final = re.compile(rb"^Sukkal listens on (https?://\S+)", re.MULTILINE)
_START_S_MAX: Final = 30
_STOP_S_MAX: Final = 60


class FailedToStart(Exception):
    """The process ended before it was ready; ``code`` is its exit code and ``stderr`` what it said."""

    def __init__(self, code: int, stderr: str) -> None:
        super().__init__(f"sukkal ended with code {code}:\n{stderr}")
        self.code = code
        self.stderr = stderr


class ServerProcess(Closing):
    """A running ``sukkal serve`` on a free port of 127.0.0.1. It is ready when the constructor returns.

    ``store`` and ``flags`` go to its command line, ``env`` into its environment, in which no setting of the caller's
    own environment is left. ``prepare`` runs in the new process before the service does. The log is kept in the file
    ``log``. Raises ``FailedToStart``. Leaving the context kills the process if it still runs, and always reaps it.
    """

    def __init__(
        self,
        store: str,
        *flags: str,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile() if log is None else log.open("ab+")
        self._log_begins = self._log.seek(0, os.SEEK_END)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sukkal.cli", "serve", "--listen", "127.0.0.1:0", "--store", store, *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=_environment(env or {}),
            preexec_fn=prepare,
        )
        try:
            self.url = self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self.url.partition("://")[2].rpartition(":")[0]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])

    @property
    def stderr(self) -> str:
        """What it has written to stderr so far."""
        self._log.seek(self._log_begins)
        return self._log.read().decode("utf-8", "replace")

    def kill(self) -> None:
        """End it as a crash would: SIGKILL, without a word. It is reaped."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """Ask it to stop, by SIGTERM, and do not wait."""
        self._process.send_signal(signal.SIGTERM)

    def reload(self) -> None:
        """Ask it to read its files again, by SIGHUP, and do not wait."""
        self._process.send_signal(signal.SIGHUP)

    def wait(self) -> int:
        """Wait for its end and return the exit code."""
        return self._process.wait(_STOP_S_MAX)

    def stop(self) -> int:
        """Ask it to stop, wait, and return the exit code."""
        self.terminate()
        return self.wait()

    def close(self) -> None:
        """Kill it if it still runs and let go of its pipe and its log. Closing twice is harmless."""
        if self._process.poll() is None:
            self.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()

    def _wait_until_ready(self) -> str:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        deadline_s = time.monotonic() + _START_S_MAX
        said = b""
        while (found := _READY.search(said)) is None:
            readable, _, _ = select.select([pipe], [], [], max(deadline_s - time.monotonic(), 0))
            if not readable:
                raise TimeoutError(f"not ready after {_START_S_MAX} s; stdout: {said!r}; stderr:\n{self.stderr}")
            part = os.read(pipe, 65_536)
            if not part:
                raise FailedToStart(self.wait(), self.stderr)
            said += part
        return found[1].decode("ascii")


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUKKAL_")}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), **more}

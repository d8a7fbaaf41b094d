"""Programs that use oslo.messaging, each a process of the environment in which that is installed."""

import queue
import subprocess
import threading
from pathlib import Path
from typing import Final

import pytest
from tests.clients import environments
from tests.closing import Closing

__all__ = ["PATIENCE_S", "Lines", "Program", "interpreter"]

PATIENCE_S: Final = 120
_HERE: Final = Path(__file__).parent
_ENVIRONMENT: Final = "oslo_messaging"

Lines = queue.Queue[str]
"""What several programs say, in the order in which it was heard."""


def interpreter() -> Path:
    """Return the interpreter that has oslo.messaging and the driver. A missing environment fails the test."""
    if environments.missing(_ENVIRONMENT):
        pytest.fail(f"The environment {_ENVIRONMENT} is missing. Make it with: {environments.COMMAND}")
    return environments.python_of(_ENVIRONMENT)


class Program(Closing):
    """A program of this folder that runs. What it says goes to ``lines``, and at its end ``end``."""

    def __init__(self, name: str, *arguments: str, lines: Lines) -> None:
        self._process = subprocess.Popen(
            [interpreter(), "-W", "ignore", _HERE / name, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._lines = lines
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def kill(self) -> None:
        """End it as a crash would, and wait until all that it said is heard."""
        self._process.kill()
        self._reap()

    def finish(self) -> int:
        """Tell it that no more comes, and return its exit code."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._reap()
        return self._process.returncode

    def close(self) -> None:
        """Kill it if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._reap()

    def _reap(self) -> None:
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.decode().strip())
        self._lines.put("end")

"""Commands as processes of their own, also in a real terminal."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from tests.closing import Closing

__all__ = ["Process", "Terminal", "environment", "eventually"]

ROOT: Final = Path(__file__).resolve().parents[2]
_SECONDS_MAX: Final = 60
Found = TypeVar("Found")


def environment(url: str, project: str, **more: str) -> dict[str, str]:
    """Return the environment of a command that asks this service."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUKKAL_", "OS_"))}
    own = {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])}
    return {**kept, **own, "SUKKAL_URL": url, "SUKKAL_PROJECT": project, "TERM": "xterm-256color", **more}


def eventually(look: Callable[[], Found]) -> Found:
    """Return what a look finds as soon as it finds something."""
    deadline_s = time.monotonic() + _SECONDS_MAX
    while not (found := look()):
        assert time.monotonic() < deadline_s, f"nothing within {_SECONDS_MAX} s"
    return found


class Reading(Closing):
    """A process whose output is read until something is in it."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: int) -> None:
        self.process = process
        self.said = ""
        self._output = output

    def until(self, pattern: str) -> "re.Match[str]":
        """Return the first match in what was not matched before."""
        deadline_s = time.monotonic() + _SECONDS_MAX
        while (found := re.search(pattern, self.said)) is None:
            ready, _, _ = select.select([self._output], [], [], max(deadline_s - time.monotonic(), 0))
            assert ready, f"no {pattern!r} within {_SECONDS_MAX} s in {self.said!r}"
            part = self._read()
            assert part, f"it ended without {pattern!r}: {self.said!r}"
            self.said += part
        self.said = self.said[found.end() :]
        return found

    def rest(self) -> str:
        """Return everything up to the end of the process."""
        while part := self._read():
            self.said += part
        return self.said

    def stop_reading(self) -> None:
        """Go away, as ``head`` does when it has enough."""
        os.close(self._output)
        self._output = os.open(os.devnull, os.O_RDONLY)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        return self.process.wait(_SECONDS_MAX)

    def close(self) -> None:
        """Kill it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._output)
        if self.process.stdin is not None:
            self.process.stdin.close()

    def _read(self) -> str:
        try:
            return os.read(self._output, 65_536).decode("utf-8", "replace")
        except OSError:  # So says a terminal whose other side has gone.
            return ""


class Process(Reading):
    """A command whose standard output and standard error come together through a pipe."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], *, errors: bool = True) -> None:
        ours, its = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-m", "sukkal.cli", *arguments],
            stdin=subprocess.PIPE,
            stdout=its,
            stderr=its if errors else subprocess.DEVNULL,
            env=dict(env),
        )
        os.close(its)
        super().__init__(process, ours)


class Terminal(Reading):
    """A command in a terminal of its own."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], *, columns: int = 80, rows: int = 24) -> None:
        ours, its = pty.openpty()
        self._ours = ours
        self.resize(columns, rows)
        process = subprocess.Popen(
            [sys.executable, "-m", "sukkal.cli", *arguments],
            stdin=its,
            stdout=its,
            stderr=its,
            env=dict(env),
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(its)
        super().__init__(process, ours)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, and tell the command."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if hasattr(self, "process"):
            self.send(signal.SIGWINCH)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def settings(self) -> list[object]:
        """Return how the terminal treats what is typed."""
        return list(termios.tcgetattr(self._ours)[:4])


def _take_terminal() -> None:
    """Make standard input the terminal whose Ctrl-C is for this process."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)

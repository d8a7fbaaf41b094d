"""``sukkal migrate``, ``backup`` and ``restore`` as processes of their own."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.cli.running import environment

__all__ = ["Ended", "begin", "run"]

_SECONDS_MAX: Final = 120


class Ended:
    """A command that has ended: its exit code and what it said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


def begin(*arguments: str | Path) -> "subprocess.Popen[str]":
    """Start a command."""
    return subprocess.Popen(
        [sys.executable, "-m", "sukkal.cli", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment("http://127.0.0.1:9", "p"),
    )


def run(*arguments: str | Path) -> Ended:
    """Run a command to its end."""
    with begin(*arguments) as process:
        out, err = process.communicate(timeout=_SECONDS_MAX)
        return Ended(process.returncode, out, err)

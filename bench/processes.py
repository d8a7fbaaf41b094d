"""The servers under measurement: started, pinned to their core, watched and stopped."""

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

from bench.load import Address, cpu_s
from bench.wire import BenchError

__all__ = [
    "Cores",
    "Server",
    "broadcast_command",
    "caller_command",
    "noop_command",
    "pick_cores",
    "service_command",
    "trivial_command",
    "unsynced_command",
]

ROOT: Final = Path(__file__).resolve().parents[1]

_READY: Final = re.compile(rb"listen(?:s|ing) on http://([^\s:]+):(\d+)")
_START_S_MAX: Final = 60.0
_STOP_S_MAX: Final = 60.0
_LOG_SHOWN_BYTES: Final = 3_000
_QUIET_SHARE_MAX: Final = 0.03
_QUIET_LOOK_S: Final = 0.2
_QUIET_S_MAX: Final = 300.0


class Cores(NamedTuple):
    """Which core the servers have, and which one the load generator."""

    server: int
    load: int


def pick_cores() -> Cores:
    """Return two cores of this machine, and move this process to the second."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise BenchError("The bench needs two processor cores: one for the server, one for the load generator.")
    cores = Cores(usable[0], usable[1])
    os.sched_setaffinity(0, {cores.load})
    return cores


def service_command(directory: Path | None, *flags: str) -> list[str]:
    """Return the command of the service with its data in a directory, or in memory."""
    return [
        *(sys.executable, "-m", "sukkal.cli", "serve", "--listen", "127.0.0.1:0"),
        *("--store", f"sqlite:///{directory}" if directory else "memory://", *flags),
    ]


def unsynced_command(directory: Path) -> list[str]:
    """Return the command of a service that acknowledges what is not on the disk yet."""
    return [sys.executable, "-m", "bench.unsynced", "--listen", "127.0.0.1:0", "--store", f"sqlite:///{directory}"]


def noop_command(*words: str) -> list[str]:
    """Return the command of the no-op server; see there for the words."""
    return [sys.executable, "-m", "bench.noop", *words]


def broadcast_command() -> list[str]:
    """Return the command of the bare broadcast."""
    return [sys.executable, "-m", "bench.broadcast"]


def caller_command() -> list[str]:
    """Return the command of the bare caller of webhooks."""
    return [sys.executable, "-m", "bench.caller"]


def trivial_command() -> list[str]:
    """Return the command of the trivial server."""
    return [sys.executable, "-m", "bench.trivial"]


class Server:
    """A server process pinned to a core. It is ready when the constructor returns; leaving the context stops it."""

    def __init__(self, command: Sequence[str], *, core: int, log: Path) -> None:
        self._log = log
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SUKKAL_")}
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                command,
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=kept | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
            )
        try:
            self.address = self._wait_until_ready()
            for thread in Path(f"/proc/{self.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {core})
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if kind is not None and issubclass(kind, BenchError) and (tail := self.log_tail()):
            print(f"\n{self._log.name} ends with:\n{tail}", file=sys.stderr)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def memory_kib(self) -> int:
        """How much memory the process has now, resident."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))

    def stop(self) -> None:
        """Ask the process to end, and kill it if it does not."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def wait_until_quiet(self) -> None:
        """Wait until the process uses next to no CPU: what it does afterwards must not fall into a measurement."""
        deadline_s = time.monotonic() + _QUIET_S_MAX
        while time.monotonic() < deadline_s:
            used_s = cpu_s(self.pid)
            time.sleep(_QUIET_LOOK_S)
            if cpu_s(self.pid) - used_s < _QUIET_SHARE_MAX * _QUIET_LOOK_S:
                return
        raise BenchError(f"a server that nobody asks anything was still busy after {_QUIET_S_MAX:.0f} s")

    def log_tail(self) -> str:
        """Return the end of what the process has written to stderr."""
        return self._log.read_bytes()[-_LOG_SHOWN_BYTES:].decode("utf-8", "replace")

    def _wait_until_ready(self) -> Address:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        deadline_s = time.monotonic() + _START_S_MAX
        said = b""
        while (found := _READY.search(said)) is None:
            readable, _, _ = select.select([pipe], [], [], max(deadline_s - time.monotonic(), 0))
            part = os.read(pipe, 65_536) if readable else b""
            if not part:
                raise BenchError(f"{' '.join(self._process.args)} did not start:\n{self.log_tail()}")  # type: ignore[arg-type]
            said += part
        return found[1].decode("ascii"), int(found[2])

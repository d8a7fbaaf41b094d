"""Starts the roles, each as a process, and hears what they say."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from examples.murano import shapes

__all__ = ["WAYS", "Role", "Stage"]

WAYS: Final = ("queues", "driver")
_PATIENCE_S: Final = 600
_SILENCE_S_MAX: Final = 150
"""It is silent for a minute when somebody has died, until the claims of that one end."""

_STOP_S_MAX: Final = 60
_ENDED: Final = "ended"
_ROOT: Final = Path(__file__).resolve().parents[2]


class Role:
    """A process. What it says goes to ``heard``, also that it has ended although nobody wanted that."""

    def __init__(self, command: Sequence[str], heard: "queue.Queue[dict[str, Any]]") -> None:
        self._command = command
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT)
        self._heard = heard
        self._wanted = True
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reader.start()

    def kill(self) -> None:
        """End it as a crash would, and return when all that it said is heard."""
        self._wanted = False
        self._process.kill()
        self._reap()

    def end(self) -> None:
        """Have it end when it has done what it began. It does not matter if it has ended."""
        self._wanted = False
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()

    def wait(self) -> int:
        """Return its exit code when it has ended. It is killed if it does not."""
        try:
            self._process.wait(_STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return self._reap()

    def _reap(self) -> int:
        code = self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return code

    def _read(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            self._heard.put(json.loads(line))
        if self._wanted:
            self._heard.put({"did": _ENDED, "command": list(self._command)})


class Stage:
    """Some of each role over one service, in one of the ``WAYS``. Leaving the context ends them all.

    Agents are not there from the beginning: each is started when the first plan was sent to it, as a machine would be
    that a conductor has asked for. ``python`` is the interpreter of the roles.
    """

    def __init__(self, way: str, url: str, project: str, folder: Path, *, python: str = sys.executable) -> None:
        self._way = way
        self._where = (url, project)
        self._folder = folder
        self._python = python
        self._heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self.roles: list[Role] = []
        self.agents: dict[str, Role] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def conductor(self, name: str, *, idle_s: int = shapes.QUEUE_IDLE_S, patience_s: int = _PATIENCE_S) -> Role:
        """Start a conductor."""
        return self._start("conductor", name, str(idle_s), str(patience_s))

    def api(self, name: str, *, tasks: int) -> Role:
        """Start an API, which sends so many tasks."""
        return self._start("api", name, str(tasks))

    def agent(self, name: str) -> Role:
        """Start the agent of a queue, with the disk of one that was there before."""
        self.agents[name] = self._start("agent", name, str(self._folder / name))
        return self.agents[name]

    def command(self, role: str, name: str) -> list[str]:
        """Return what runs a role, without its arguments."""
        return [self._python, "-W", "ignore", "-m", f"examples.murano.{self._way}.{role}"]

    def next(self) -> Mapping[str, Any]:
        """Return the next thing that somebody said, and start the agent for which it is the first plan.

        Raises ``RuntimeError`` when a role has ended by itself, and ``queue.Empty`` when none says anything any more.
        """
        heard = self._heard.get(timeout=_SILENCE_S_MAX)
        if heard["did"] == _ENDED:
            raise RuntimeError(f"It has ended by itself: {' '.join(heard['command'])}")
        if heard["did"] == "sent plan":
            name = shapes.agent_queue(heard["task"], heard["host"])
            if name not in self.agents:
                self.agent(name)
        return heard

    def end(self) -> list[int]:
        """End all roles and return their exit codes."""
        for role in self.roles:
            role.end()
        codes = [role.wait() for role in self.roles]
        self.roles.clear()
        return codes

    def _start(self, role: str, *arguments: str) -> Role:
        command = self.command(role, arguments[0])
        self.roles.append(Role([*command, *self._where, *arguments], self._heard))
        return self.roles[-1]

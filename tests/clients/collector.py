"""The real ``os-collect-config`` command with its zaqar collector, as it runs on a server that Heat looks after."""

import json
import os
import select
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import pytest

from tests.clients import environments
from tests.clients.keystone import PASSWORD, Keystone

__all__ = ["OsCollectConfig", "Running"]

_S_MAX: Final = 30
_SHOWN_CHARACTERS: Final = 5_000
_PAUSE_S: Final = 0.01


class Running:
    """A collector that runs, whose commands print to the pipe that it was given."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        assert process.stdout is not None
        self._process = process
        self._pipe = process.stdout.fileno()
        self._log = log
        self._printed = b""

    def line(self) -> str:
        """Wait for the next line that it or one of its commands prints, and return it."""
        while b"\n" not in self._printed:
            assert self._more(), f"It ended:\n{self._said()}"
        line, _, self._printed = self._printed.partition(b"\n")
        return line.decode("utf-8")

    def rest(self) -> str:
        """Wait for its end, which has to be a good one, and return what it has printed since."""
        while self._more():
            pass
        assert self._process.wait(_S_MAX) == 0, self._said()
        return self._printed.decode("utf-8")

    def _more(self) -> bool:
        """Wait for something to be printed; return False at the end."""
        readable, _, _ = select.select([self._pipe], [], [], _S_MAX)
        assert readable, f"Nothing came for {_S_MAX} s:\n{self._said()}"
        part = os.read(self._pipe, 65_536)
        self._printed += part
        return bool(part)

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8")[-_SHOWN_CHARACTERS:]


class OsCollectConfig:
    """Runs ``os-collect-config``, which keeps what it has collected below ``folder``.

    A missing environment fails the test.
    """

    def __init__(self, folder: Path, options: Mapping[str, str]) -> None:
        if environments.missing("os_collect_config"):
            pytest.fail(f"The environment os_collect_config is missing. Make it with: {environments.COMMAND}")
        self.folder = folder
        lines = [
            "[DEFAULT]",
            "collectors = zaqar",
            f"cachedir = {folder / 'collected'}",
            f"backup_cachedir = {folder / 'backup'}",
            f"min_polling_interval = {_PAUSE_S}",
            f"polling_interval = {_PAUSE_S}",
            "[zaqar]",
            *(f"{name} = {value}" for name, value in options.items()),
        ]
        configuration = folder / "os-collect-config.conf"
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        program = environments.python_of("os_collect_config").with_name("os-collect-config")
        self._command = [str(program), "--config-file", str(configuration)]
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}

    @classmethod
    def of(cls, folder: Path, keystone: Keystone, user: str, project: str, queue: str, *, websockets: bool) -> Self:
        """Return one that signs in as a user for a project, and finds the service in the catalog."""
        options = {
            "auth_url": keystone.url,
            "user_id": keystone.id_of("users", user),
            "password": PASSWORD,
            "project_id": keystone.id_of("projects", project),
            "region_name": "RegionOne",
            "queue_id": queue,
            "use_websockets": str(websockets),
        }
        return cls(folder, options)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end, whatever comes of it."""
        command = [*self._command, *arguments]
        return subprocess.run(command, env=self._env, capture_output=True, text=True, timeout=_S_MAX, check=False)

    def do(self, *arguments: str) -> str:
        """Run it to its end, which has to be a good one, and return what it prints."""
        ran = self(*arguments)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Running]:
        """Start it. Leaving the context kills it if it still runs, and reaps it."""
        path = self.folder / "log"
        with (
            path.open("wb") as log,
            subprocess.Popen(
                [*self._command, *arguments],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            ) as process,
        ):
            try:
                yield Running(process, path)
            finally:
                process.kill()

    def collected(self, name: str = "zaqar") -> Any:
        """Return what it has written to its ``cachedir`` under a name, for its command to read."""
        return json.loads((self.folder / "collected" / f"{name}.json").read_text(encoding="utf-8"))

"""What tests of the command line share: a service, and commands that are run against it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.serving import ServerProcess

from sukkal.cli import main


class Ran(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class Commands:
    """Runs commands in this process, for one project of one service."""

    def __init__(self, url: str, project: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.url = url
        self.project = project
        self._capsys = capsys

    def ran(self, *arguments: str) -> Ran:
        """Run a command and return how it ended."""
        self._capsys.readouterr()
        code = main(arguments)
        return Ran(code, *self._capsys.readouterr())

    def __call__(self, *arguments: str) -> str:
        """Run a command, which has to succeed, and return what it prints."""
        ran = self.ran(*arguments)
        assert ran.code == 0, ran
        return ran.out

    def json(self, *arguments: str) -> Any:
        """Return what a command prints as JSON."""
        return json.loads(self(*arguments, "--output", "json"))


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    env = {"SUKKAL_SIGNED_URL_KEYS": "a key to sign URLs with"}
    with ServerProcess("memory://", "--webhook-allow", "127.0.0.0/8", env=env) as server:
        yield server


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Leave nothing in the environment that names a service or somebody; return the folder for configuration."""
    for name in [name for name in os.environ if name.startswith(("SUKKAL_", "OS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)[:250]


@pytest.fixture
def run(
    server: ServerProcess,
    project: str,
    clean: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Commands:
    """Return what runs commands; the environment names the service and the project of the test."""
    monkeypatch.setenv("SUKKAL_URL", server.url)
    monkeypatch.setenv("SUKKAL_PROJECT", project)
    return Commands(server.url, project, capsys)

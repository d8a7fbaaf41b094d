"""A real browser, real services, and a project for each test."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.console.browsing import CLIENT, Console, Project
from tests.console.chromium import program
from tests.serving import ROOT, ServerProcess

PICTURES: Final = ROOT / "build" / "console"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return the browser. It is gone with the last test here: no other may meet its event loop."""
    chromium = program()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium.binary,
            env={**os.environ, **chromium.environment},
            args=["--disable-gpu", "--font-render-hinting=none"],
        )
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def service() -> Iterator[ServerProcess]:
    """Return a service that lets everybody in."""
    with ServerProcess("memory://", "--webhook-allow", "127.0.0.1") as server:
        yield server


@pytest.fixture
def project(service: ServerProcess, request: pytest.FixtureRequest) -> Iterator[Project]:
    """Return a project of the test's own."""
    with Project(service.url, re.sub(r"\W+", "-", request.node.name)[:60]) as own:
        yield own


@pytest.fixture
def tab(browser: Browser) -> Iterator[Callable[..., Console]]:
    """Return what opens a tab; at the end no browser may have complained."""
    opened: list[Console] = []

    def open_tab(url: str, **look: object) -> Console:
        opened.append(Console(browser, url, **look))
        return opened[-1]

    yield open_tab
    for console in opened:
        console.close()
    for console in opened:
        console.check()


@pytest.fixture
def console(service: ServerProcess, project: Project, tab: Callable[..., Console]) -> Console:
    """Return the console, signed in to the test's project."""
    opened = tab(service.url)
    opened.sign_in(project=project.name)
    return opened


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Return the folder where pictures of all views are kept."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES


class Keys:
    """The keys of a service that asks for one."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "keys.json"
        self.server: ServerProcess | None = None

    def create(self, project: str, role: str) -> str:
        """Make a key, wait until it opens the service, and return it."""
        key = self._run("create", "--project", project, "--name", role, "--role", role).strip()
        if self.server is not None:
            self.server.reload()
            headers = {"x-auth-token": key, "client-id": CLIENT}
            while httpx.get(f"{self.server.url}/v2/ping", headers=headers, trust_env=False).status_code == 401:
                pass
        return key

    def revoke(self, key: str) -> None:
        """Take a key back, and have the service look."""
        self._run("revoke", key.split("_")[1])
        assert self.server is not None
        self.server.reload()

    def _run(self, action: str, *more: str) -> str:
        command = [sys.executable, "-m", "sukkal.cli", "key", action, "--keys-file", str(self.file), *more]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


@pytest.fixture(scope="package")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    """Return the keys of a service that lets nobody in without one."""
    made = Keys(tmp_path_factory.mktemp("keys"))
    made.create("nobody", "member")
    with ServerProcess("memory://", "--auth", "keys", "--keys-file", str(made.file)) as made.server:
        yield made


@pytest.fixture
def guarded(keys: Keys) -> ServerProcess:
    """Return that service."""
    assert keys.server is not None
    return keys.server

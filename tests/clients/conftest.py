"""What tests with foreign programs share."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.clients.bringing import Api, Import
from tests.clients.keystone import PASSWORD, SERVICE_USER, Keystone
from tests.clients.zaqar import Zaqar
from tests.serving import ServerProcess


@pytest.fixture(scope="session")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """Return a Keystone for the whole session. A test that stops it or changes its accounts takes a copy instead."""
    with Keystone(tmp_path_factory.mktemp("keystone")) as keystone:
        yield keystone


def guarded_by(keystone: Keystone, store: str, *flags: str, env: Mapping[str, str] | None = None) -> ServerProcess:
    """Start a service that admits whom a Keystone knows."""
    settings = {
        "SUKKAL_AUTH": "keystone",
        "SUKKAL_KEYSTONE_AUTH_URL": keystone.url,
        "SUKKAL_KEYSTONE_USERNAME": SERVICE_USER,
        "SUKKAL_KEYSTONE_PASSWORD": PASSWORD,
        "SUKKAL_KEYSTONE_PROJECT_NAME": "service",
    }
    return ServerProcess(store, *flags, env={**settings, **(env or {})})


@pytest.fixture(scope="session")
def guarded(keystone: Keystone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Return a service that admits whom the Keystone knows, and that its catalog points to."""
    store = f"sqlite:///{tmp_path_factory.mktemp('guarded')}"
    with guarded_by(keystone, store, env={"SUKKAL_SIGNED_URL_KEYS": "a key to sign URLs with"}) as server:
        keystone.catalog(server.url)
        yield server


@pytest.fixture(scope="session")
def zaqar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zaqar]:
    """Return a Zaqar for the whole session, in which each test has a project of its own."""
    with Zaqar(tmp_path_factory.mktemp("zaqar")) as zaqar:
        yield zaqar


@pytest.fixture(scope="module")
def sukkal() -> Iterator[ServerProcess]:
    """Return a service that takes every kind of subscriber."""
    mail = ("--smtp-host", "mail.example.org", "--smtp-from", "sukkal@example.org")
    with ServerProcess("memory://", "--webhook-allow", "127.0.0.1/32", *mail) as server:
        yield server


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    """Return a project that no other test has."""
    name: str = request.node.name
    return name


@pytest.fixture
def source(zaqar: Zaqar, project: str) -> Iterator[Api]:
    """Return the project in Zaqar."""
    with Api(zaqar.url, project) as api:
        yield api


@pytest.fixture
def here(sukkal: ServerProcess, project: str) -> Iterator[Api]:
    """Return the project in the service."""
    with Api(sukkal.url, project) as api:
        yield api


@pytest.fixture
def bring(zaqar: Zaqar, sukkal: ServerProcess, project: str, tmp_path: Path) -> Import:
    """Return the command that brings the project from the one to the other."""
    return Import(zaqar.url, sukkal.url, project, tmp_path)

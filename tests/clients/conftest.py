"""What tests with foreign programs share."""

from collections.abc import Iterator, Mapping

import pytest

from tests.clients.keystone import PASSWORD, SERVICE_USER, Keystone
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

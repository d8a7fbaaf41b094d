"""The whole API suite runs over each engine and each server: memory under ASGI, SQLite under our own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from tests.api.calling import CLIENT, Service
from tests.api.faces import Face, Http, WebSocket
from tests.api.sockets import Socket
from tests.engines.postgresql_server import PostgreSQL


@pytest.fixture(scope="session")
def databases(postgresql: PostgreSQL) -> list[str]:
    """Return the URLs of the databases that there are, which are emptied again and again."""
    return []


_ON_POSTGRESQL: Final = frozenset(
    [
        *("claims", "concurrency", "encryption", "latest_only", "messages", "pools"),
        *("names_that_cannot_be", "queues", "repeating", "subscriptions", "time"),
    ]
)
"""What is tested of these is tested over PostgreSQL, too. All of it would take minutes; and some tests, as those of
waiting, count the turns of the event loop, which say nothing of what a server has done meanwhile."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that starts a service over each engine."""
    if "engine" in metafunc.fixturenames:
        about = metafunc.module.__name__.rpartition(".test_")[2]
        metafunc.parametrize("engine", ["memory", "sqlite", *(["postgresql"] if about in _ON_POSTGRESQL else [])])


@pytest.fixture
def start(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Return a function that starts a service with settings."""
    started: list[Service] = []

    def store() -> str:
        if engine == "postgresql":
            server: PostgreSQL = request.getfixturevalue("postgresql")
            return server.nth_empty(request.getfixturevalue("databases"), len(started))
        return "memory://" if engine == "memory" else f"sqlite:///{tmp_path}/data{len(started)}"

    def start_service(**settings: Any) -> Service:
        started.append(Service(store(), **{"own": engine == "sqlite", **settings}))
        return started[-1]

    yield start_service
    for service in started:
        service.close()


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    """Return a service with the usual settings."""
    return start()


@pytest.fixture(params=["HTTP", "WebSocket in JSON", "WebSocket in MessagePack"])
def open_face(service: Service, request: pytest.FixtureRequest) -> Iterator[Callable[..., Face]]:
    """Return a function that gives a client's face."""
    with ExitStack() as stack:

        def opened(client: str = CLIENT, project: str = "p") -> Face:
            if request.param == "HTTP":
                return Http(service, client, project)
            binary = request.param.endswith("MessagePack")
            return WebSocket(stack.enter_context(Socket(service, client=client, project=project, binary=binary)))

        yield opened


@pytest.fixture
def face(open_face: Callable[..., Face]) -> Face:
    """Return a client's face."""
    return open_face()

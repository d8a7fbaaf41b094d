"""The whole API suite runs over each engine and each server: memory under ASGI, SQLite under our own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.api.calling import CLIENT, Service
from tests.api.faces import Face, Http, WebSocket
from tests.api.sockets import Socket


@pytest.fixture(params=["memory", "sqlite"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Return a function that starts a service with settings."""
    started: list[Service] = []

    def start_service(**settings: Any) -> Service:
        store = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/data{len(started)}"
        started.append(Service(store, **{"own": request.param == "sqlite", **settings}))
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

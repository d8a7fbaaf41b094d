"""The whole API suite runs over each engine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.calling import Service


@pytest.fixture(params=["memory", "sqlite"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Return a function that starts a service with settings."""
    started: list[Service] = []

    def start_service(**settings: Any) -> Service:
        store = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/data{len(started)}"
        started.append(Service(store, **settings))
        return started[-1]

    yield start_service
    for service in started:
        service.close()


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    """Return a service with the usual settings."""
    return start()

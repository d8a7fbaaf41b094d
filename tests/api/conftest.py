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
        *("both_faces", "documents", "events", "events_sdk", "forwarding", "heartbeats", "ingest", "isolation"),
        *("posting", "project_limits", "real_client_requests", "versions_and_topics"),
        *("recorded_frames", "recorded_scenarios", "recorded_traffic", "saved_searches", "search", "topics"),
    ]
)
"""What is tested of these is tested over PostgreSQL, too.

Not so what is refused before a store is asked (bad input, access, tokens), and what is true of one process only: some
tests, as those of waiting, consumers and listening, count the turns of the event loop, which say nothing of what a
server has done meanwhile; and queues that nobody uses stay longer where nodes share a store.
"""
_OF_ONE_INDEX: Final = frozenset(
    [
        "test_a_batch_that_takes_longer_than_its_lease_is_done_once",
        "test_a_search_that_takes_too_long_is_left_out_counted_and_named",
        "test_many_searches_are_asked_of_few_events_at_once_and_the_lease_lasts",
        "test_posts_go_on_without_the_index_and_are_found_when_it_is_back",
        "test_what_the_index_chokes_on_keeps_nothing_else_waiting",
    ]
)
"""These break the index in SQLite."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that starts a service over each engine."""
    if "engine" in metafunc.fixturenames:
        about = metafunc.module.__name__.rpartition(".test_")[2]
        also = about in _ON_POSTGRESQL and metafunc.function.__name__ not in _OF_ONE_INDEX
        metafunc.parametrize("engine", ["memory", "sqlite", *(["postgresql"] if also else [])])


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

"""Nobody takes more than their share of the connections on which one hears what comes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal.cli import main
from tests.api.calling import Service
from tests.api.sockets import Ended, Socket
from tests.api.streams import Refused, Stream

MOST: Final = 2


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    return start(max_listeners_per_project=MOST)


@pytest.fixture
def tokens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return an API key for each project."""

    def made(project: str) -> str:
        assert main(["key", "create", "--keys-file", str(tmp_path / "keys.json"), "--project", project]) == 0
        return capsys.readouterr().out.strip()

    return {project: made(project) for project in ("p", "other")}


@pytest.fixture
def guarded(start: Callable[..., Service], tokens: dict[str, str], tmp_path: Path) -> Callable[..., Service]:
    """Return a function that starts a service which asks for keys."""
    return lambda **settings: start(auth="keys", keys_file=str(tmp_path / "keys.json"), **settings)


def listening(service: Service, **options: Any) -> Socket:
    """Return a connection that belongs to its project."""
    socket = Socket(service, **options)
    assert socket.ask("subscription_create", {"queue_name": "q"}).status == 201
    return socket


def ending(socket: Socket) -> tuple[int, str]:
    """Return how the service ends a connection."""
    with pytest.raises(Ended) as ended:
        socket.receive()
    return ended.value.code, ended.value.reason


def present(service: Service) -> int:
    """Return how many count for the project."""
    return service.app.services.audience.of("p")


def test_streams_and_sockets_of_a_project_have_one_share(service: Service) -> None:
    with listening(service) as socket, Stream(service):
        with pytest.raises(Refused) as refused:
            Stream(service)
        assert refused.value.status == 429
        assert "max_listeners_per_project" in refused.value.document["description"]
        late = Socket(service)
        late.ask("queue_list").refused(429, "2 WebSocket connections and streams", "max_listeners_per_project")
        assert ending(late) == (1008, "The project has too many listeners.")
        with listening(service, project="other"), Stream(service, headers={"x-project-id": "other"}):
            assert socket.ask("queue_list").status == 200
    with listening(service), listening(service):
        assert present(service) == MOST
    assert present(service) == 0


def test_a_stream_that_could_not_begin_does_not_count(service: Service) -> None:
    service.app.listeners.close()
    for _ in range(MOST + 1):
        with pytest.raises(Refused) as refused:
            Stream(service)
        assert refused.value.status == 503
    assert present(service) == 0


def test_a_connection_counts_once_whatever_it_sends(service: Service) -> None:
    with listening(service) as socket:
        for name in ("a", "b", "c"):
            assert socket.ask("subscription_create", {"queue_name": name}).status == 201
        assert socket.ask("queue_list", X_Project_ID="other").status == 200
        assert present(service) == 1


def test_a_share_of_nothing_is_no_limit(start: Callable[..., Service]) -> None:
    service = start(max_listeners_per_project=0)
    with Stream(service), Stream(service), listening(service):
        assert present(service) == 3


def test_a_token_in_the_request_is_refused_where_the_project_has_its_share(
    guarded: Callable[..., Service], tokens: dict[str, str]
) -> None:
    service, mine = guarded(max_listeners_per_project=1), {"x-auth-token": tokens["p"]}
    with Socket(service, headers=mine):
        with pytest.raises(Ended) as ended:
            Socket(service, headers=mine)
        assert ended.value.code == 429
        with Socket(service, headers={"x-auth-token": tokens["other"]}, project=None) as other:
            assert other.ask("queue_list").status == 200
    with Socket(service, headers=mine) as again:
        assert again.ask("queue_list").status == 200


def test_the_action_that_authenticates_is_refused_where_the_project_has_its_share(
    guarded: Callable[..., Service], tokens: dict[str, str]
) -> None:
    service = guarded(max_listeners_per_project=1)
    with Socket(service) as first:
        for _ in range(2):
            assert first.ask("authenticate", X_Auth_Token=tokens["p"]).status == 200
        late = Socket(service)
        answer = late.ask("authenticate", X_Auth_Token=tokens["p"])
        assert (answer.status, answer.body["code"]) == (429, "quota_exceeded")
        assert "max_listeners_per_project" in answer.body["exception"]
        assert ending(late) == (1008, "The project has too many listeners.")
    assert present(service) == 0


def test_strangers_leave_room_for_those_who_say_who_they_are(
    guarded: Callable[..., Service], tokens: dict[str, str]
) -> None:
    service, mine = guarded(max_websocket_connections=4), {"x-auth-token": tokens["p"]}
    with Socket(service) as stranger, Socket(service):
        with pytest.raises(Ended) as ended:
            Socket(service)
        assert ended.value.code == 503
        assert "have not been authenticated" in ended.value.document["description"]
        with Socket(service, headers=mine):
            assert stranger.ask("authenticate", X_Auth_Token=tokens["p"]).status == 200
            with Socket(service), pytest.raises(Ended) as full:
                Socket(service, headers=mine)
            assert "too many WebSocket connections" in full.value.document["description"]


def test_where_nobody_has_to_say_who_it_is_there_are_no_strangers(start: Callable[..., Service]) -> None:
    service = start(max_websocket_connections=2)
    with Socket(service), Socket(service) as second:
        assert second.ask("queue_list").status == 200


def test_a_connection_for_events_counts_as_well(service: Service) -> None:
    events: dict[str, Any] = {
        "path": "/v2/queues/q/events",
        "subprotocols": ("cloudevents.json",),
        "headers": {"X-Project-ID": "p"},
    }
    with Socket(service, **events), Socket(service, **events):
        assert present(service) == MOST
        with pytest.raises(Ended) as ended:
            Socket(service, **events)
        assert ended.value.code == 429
    assert present(service) == 0

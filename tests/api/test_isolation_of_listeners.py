"""No listener hears or learns anything of another project's queue, whatever position it brings."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from sukkal.cli import main
from tests.api.calling import CLIENT, Service
from tests.api.sockets import Socket
from tests.api.streams import Stream
from tests.isolation import Listener, Project, overheard

Come = Callable[[Service, Mapping[str, str], str, str | None], Listener]


class OverSocket:
    """Who listens over a WebSocket. A token says whose it is, and frames that say otherwise are refused."""

    def __init__(self, service: Service, headers: Mapping[str, str], queue: str, since: str | None) -> None:
        self._socket = Socket(service, project=None)
        if token := headers.get("X-Auth-Token"):
            admitted = self._socket.ask("authenticate", **{"X-Auth-Token": token, "Client-ID": CLIENT})
            assert admitted.status == 200, admitted.body
            headers = {}
        body = {"queue_name": queue, "resume": since or True}
        made = self._socket.ask("subscription_create", body, **headers)
        assert made.status == 201, made.body
        self.answer = made.body

    def hear(self, last: str) -> list[str]:
        """Return all bodies up to one."""
        bodies: list[str] = []
        while last not in bodies:
            bodies.append(self._socket.receive()["body"])
        return bodies

    def close(self) -> None:
        """Go away."""
        self._socket.close()


class OverStream:
    """Who listens to a stream of events."""

    def __init__(self, service: Service, headers: Mapping[str, str], queue: str, since: str | None) -> None:
        more = {"Last-Event-ID": since} if since else {}
        self._stream = Stream(service, f"/v2/queues/{queue}/stream", headers={**headers, **more})
        self.answer = self._stream.ready["data"]

    def hear(self, last: str) -> list[str]:
        """Return all bodies up to one."""
        bodies: list[str] = []
        while last not in bodies:
            bodies += self._stream.bodies(1)
        return bodies

    def close(self) -> None:
        """Go away."""
        self._stream.__exit__()


WAYS = pytest.mark.parametrize("come", [OverSocket, OverStream])


def project(service: Service, name: str, headers: Mapping[str, str]) -> Project:
    def ask(method: str, path: str, more: Mapping[str, str], document: Any) -> httpx.Response:
        return service.call(method, path, project=None, headers={**headers, **more}, json=document)

    return Project(name, ask)


def found(service: Service, come: Come, owner: Mapping[str, str], stranger: Mapping[str, str]) -> Iterator[str]:
    return overheard(
        project(service, "alpha", owner),
        project(service, "beta", stranger),
        own=lambda queue, since: come(service, owner, queue, since),
        strange=lambda queue, since: come(service, stranger, queue, since),
    )


@WAYS
def test_a_stranger_hears_nothing(service: Service, come: Come) -> None:
    assert list(found(service, come, {"X-Project-ID": "alpha"}, {"X-Project-ID": "beta"})) == []


@WAYS
def test_a_stranger_hears_nothing_even_if_it_claims_to_be_another(
    start: Callable[..., Service], tmp_path: Path, capsys: pytest.CaptureFixture[str], come: Come
) -> None:
    headers = []
    for name in ("alpha", "beta"):
        assert main(["key", "create", "--keys-file", str(tmp_path / "keys.json"), "--project", name]) == 0
        headers.append({"X-Auth-Token": capsys.readouterr().out.strip(), "X-Project-ID": "alpha"})
    service = start(auth="keys", keys_file=str(tmp_path / "keys.json"))
    assert list(found(service, come, *headers)) == []


@WAYS
def test_the_one_who_is_no_stranger_is_noticed(service: Service, come: Come) -> None:
    def listen_anywhere(queue: str, since: str | None) -> Listener:
        return come(service, {"X-Project-ID": "alpha" if queue == "owned-queue" else "beta"}, queue, since)

    def post_anywhere(method: str, path: str, more: Mapping[str, str], document: Any) -> httpx.Response:
        name = "alpha" if method == "POST" and "owned-queue" in path else "beta"
        return service.call(method, path, project=name, headers=dict(more), json=document)

    owner = project(service, "alpha", {"X-Project-ID": "alpha"})
    own = lambda queue, since: come(service, {"X-Project-ID": "alpha"}, queue, since)  # noqa: E731
    faults = list(overheard(owner, Project("beta", post_anywhere), own=own, strange=listen_anywhere))
    assert len(faults) >= 9
    assert any("recovered" in fault or "True" in fault for fault in faults)


def test_a_stranger_finds_no_subscription_of_anothers_connection(service: Service) -> None:
    with Socket(service, project="alpha") as owner, Socket(service, project="beta") as stranger:
        id_ = owner.ask("subscription_create", {"queue_name": "q"}).body["subscription_id"]
        stranger.ask("queue_create", {"queue_name": "q"})
        named = {"queue_name": "q", "subscription_id": id_}
        stranger.ask("subscription_get", named).refused(404)
        assert stranger.ask("subscription_delete", named).status == 204
        assert stranger.ask("subscription_list", {"queue_name": "q"}).body == {"subscriptions": []}
        service.post("/v2/queues/q/messages", json={"messages": [{"body": 1}]}, project="alpha")
        assert owner.receive()["body"] == 1
        assert stranger.silent()

"""The client that blocks, against a running service."""

import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from sukkal.client import BlockingConnection, ProjectName, Refused, Unexpected, Unreachable
from tests.answering import Answering, Asked, Said
from tests.serving import ServerProcess

CLIENT_ID = "5f4f9f0e-6f5c-4c6b-9d0e-3f2b6f0b7a10"
MESSAGE = {"messages": [{"body": "é", "ttl": 300}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('store')}") as server:
        yield server


def connect(url: str) -> BlockingConnection:
    return BlockingConnection(url, ProjectName("p"), client_id=CLIENT_ID)


def test_requests_are_answered_on_one_connection(server: ServerProcess) -> None:
    sukkal = connect(server.url)
    assert sukkal.request("PUT", "/v2/queues/q").document is None
    assert sukkal.request("POST", "/v2/queues/q/messages", MESSAGE).status == 201
    listed = sukkal.request("GET", "/v2/queues/q/messages", query={"echo": "true"}).document
    assert [each["body"] for each in listed["messages"]] == ["é"]
    with pytest.raises(Refused) as refused:
        sukkal.request("POST", "/v2/queues/q/messages", {"messages": []})
    assert refused.value.status == 400
    assert sukkal.request("GET", "/v2/ping").status == 204
    sukkal.close()


def test_no_service_is_told_apart_from_a_refusal() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
            connect(f"http://127.0.0.1:{taken.getsockname()[1]}").request("GET", "/v2/ping")


def test_a_repeatable_request_survives_that_the_idle_connection_was_closed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = f"sqlite:///{tmp_path_factory.mktemp('store')}"
    with ServerProcess(store) as first:
        sukkal, other = connect(first.url), connect(first.url)
        for each in (sukkal, other):
            each.request("GET", "/v2/ping")
        first.kill()
        with ServerProcess(store, "--listen", f"127.0.0.1:{first.port}"):
            with pytest.raises(Unreachable):
                other.request("GET", "/v2/ping")
            assert sukkal.request("GET", "/v2/ping", repeatable=True).status == 204
            assert other.request("GET", "/v2/ping").status == 204
            sukkal.close()
            other.close()


def test_a_claim_that_waits_and_is_ended_holds_nothing(server: ServerProcess) -> None:
    waiting, asking = connect(server.url), connect(server.url)
    begun = threading.Event()
    outcomes = []

    def wait() -> None:
        begun.set()
        try:
            waiting.request("POST", "/v2/queues/ended/claims", {"ttl": 60, "grace": 60}, query={"wait": "30"})
        except Unreachable as error:
            outcomes.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    begun.wait()
    waiting.end()
    thread.join(20)
    assert len(outcomes) == 1
    asking.request("POST", "/v2/queues/ended/messages", MESSAGE)
    claimed = asking.request("POST", "/v2/queues/ended/claims", {"ttl": 60, "grace": 60}, query={"wait": "10"})
    assert [each["body"] for each in claimed.document["messages"]] == ["é"]
    asking.close()


def test_an_ended_connection_sends_nothing_more(server: ServerProcess) -> None:
    sukkal = connect(server.url)
    sukkal.end()
    with pytest.raises(Unreachable, match="ended"):
        sukkal.request("GET", "/v2/ping", repeatable=True)


def test_a_stream_is_told_from_a_position_on(server: ServerProcess) -> None:
    listening, posting = connect(server.url), connect(server.url)
    posting.request("POST", "/v2/queues/told/messages", MESSAGE)
    events = listening.events("/v2/queues/told/stream", since="0.0")
    ready, first = next(events), next(events)
    assert ready.name == "ready"
    assert '"body":"é"' in first.data
    events.close()
    posting.request("POST", "/v2/queues/told/messages", MESSAGE)
    events = listening.events("/v2/queues/told/stream", since=first.id)
    assert next(events).name == "ready"
    assert next(events).id != first.id
    events.close()
    posting.close()


def test_a_stream_that_is_refused_says_why(server: ServerProcess) -> None:
    with pytest.raises(Refused) as refused:
        next(connect(server.url).events("/v2/queues/a%20b/stream"))
    assert refused.value.status == 400


class Renewing:
    """Credentials whose first token is no good."""

    def __init__(self) -> None:
        self.tokens = ["bad", "good"]

    def headers_now(self) -> Mapping[str, str]:
        return {"X-Auth-Token": self.tokens[0]}

    def renew_now(self) -> bool:
        self.tokens = self.tokens[1:] or self.tokens
        return True


class Guarded(BaseHTTPRequestHandler):
    """Admits who has the good token."""

    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers["X-Auth-Token"])
        self.send_response(204 if self.seen[-1] == "good" else 401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_token_that_has_ended_is_renewed_once() -> None:
    with HTTPServer(("127.0.0.1", 0), Guarded) as guarded:
        thread = threading.Thread(target=guarded.serve_forever)
        thread.start()
        sukkal = BlockingConnection(f"http://127.0.0.1:{guarded.server_port}", Renewing(), client_id=CLIENT_ID)
        assert sukkal.request("GET", "/v2/ping").status == 204
        sukkal.close()
        guarded.shutdown()
        thread.join()
    assert Guarded.seen == ["bad", "good"]


class Renewed:
    """A token that is renewed when the service refuses it, if it ``can`` be."""

    def __init__(self, *, can: bool = True) -> None:
        self.token = "old"
        self._can = can

    def headers_now(self) -> Mapping[str, str]:
        return {"X-Auth-Token": self.token}

    def renew_now(self) -> bool:
        self.token = "new"
        return self._can


def streaming(asked: Asked) -> Said:
    if asked.headers.get("x-auth-token") != "new":
        return Said(401, b'{"title": "Unauthorized"}')
    return Said(200, b"id: 1.1\ndata: {}\n\n", {"Content-Type": "text/event-stream"})


def test_a_stream_renews_a_token_that_was_refused() -> None:
    with Answering(streaming) as service:
        connection = BlockingConnection(service.url, Renewed(), client_id=CLIENT_ID)
        assert [event.id for event in connection.events("/v2/queues/q/stream")] == ["1.1"]
        assert len(service.asked) == 2


def test_a_stream_is_refused_if_the_token_cannot_be_renewed() -> None:
    with Answering(streaming) as service:
        connection = BlockingConnection(service.url, Renewed(can=False), client_id=CLIENT_ID)
        with pytest.raises(Refused, match="Unauthorized"):
            next(connection.events("/v2/queues/q/stream"))
        assert len(service.asked) == 1


def test_what_answers_a_stream_with_something_else_is_not_taken_for_one_that_has_ended() -> None:
    with Answering(lambda _: Said(204)) as service, pytest.raises(Unexpected):
        next(connect(service.url).events("/v2/queues/q/stream"))


def test_a_request_that_is_refused_before_all_of_it_is_sent_is_refused_and_not_lost(server: ServerProcess) -> None:
    with pytest.raises(Refused) as refused:
        connect(server.url).request("POST", "/v2/queues/q/messages", {"messages": [{"body": "x" * 20_000_000}]})
    assert refused.value.is_about_the_request

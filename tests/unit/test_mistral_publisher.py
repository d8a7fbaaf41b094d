"""The publisher that Mistral loads: what it sends, what it repeats, and what it says when that was of no use."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from sukkal import mistral
from sukkal.mistral import PublishError, SukkalPublisher

DATA = {"id": "e-1", "event": "WORKFLOW_FAILED", "state": "ERROR", "workflow_name": "w", "state_info": "é"}


class Taken(NamedTuple):
    """A request that came."""

    path: str
    headers: dict[str, str]
    document: Any


class Sukkal:
    """Answers with the statuses that it is given, one after the other, and the last one for good."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.statuses = [201]
        self.headers: dict[str, str] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805 - `self` is who is asked
                body = handler.rfile.read(int(handler.headers["content-length"]))
                headers = {name.lower(): value for name, value in handler.headers.items()}
                self.taken.append(Taken(handler.path, headers, json.loads(body)))
                status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
                handler.send_response(status)
                for name, value in self.headers.items():
                    handler.send_header(name, value)
                handler.send_header("content-length", "2")
                handler.end_headers()
                handler.wfile.write(b"no")

            def log_message(handler, *_: Any) -> None:  # noqa: N805
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def sukkal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sukkal]:
    monkeypatch.setattr(mistral, "_PAUSE_S", 0)
    server = Sukkal()
    yield server
    server.close()


def publish(url: str, user: Any = None, **settings: Any) -> None:
    SukkalPublisher().publish(user, "e-1", DATA, "WORKFLOW_FAILED", "2026-11-21 04:25:05", url=url, **settings)


def test_a_notification_is_posted_as_it_is_on_behalf_of_the_user(sukkal: Sukkal) -> None:
    publish(sukkal.url, SimpleNamespace(auth_token="t", project_id="p"))
    [taken] = sukkal.taken
    assert (taken.path, taken.document) == ("/v2/queues/mistral/ingest", DATA)
    assert (taken.headers["x-auth-token"], taken.headers["x-project-id"]) == ("t", "p")
    assert taken.headers["content-type"] == "application/json"


def test_headers_of_the_settings_say_who_posts_instead_of_the_user(sukkal: Sukkal) -> None:
    publish(sukkal.url, SimpleNamespace(auth_token="t", project_id="p"), headers={"X-Auth-Token": "own"}, queue="a b")
    [taken] = sukkal.taken
    assert (taken.path, taken.headers["x-auth-token"]) == ("/v2/queues/a%20b/ingest", "own")
    assert "x-project-id" not in taken.headers


def test_the_environment_names_the_service(sukkal: Sukkal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUKKAL_URL", f"{sukkal.url}/")
    publish("")
    assert len(sukkal.taken) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_post_is_repeated_while_the_service_cannot_take_it(sukkal: Sukkal, status: int) -> None:
    sukkal.statuses = [status, status, 201]
    publish(sukkal.url)
    assert [taken.document for taken in sukkal.taken] == [DATA] * 3


@pytest.mark.parametrize(("status", "times"), [(400, 1), (401, 1), (302, 1), (200, 1), (503, 5)])
def test_a_refusal_is_an_error_that_names_it(sukkal: Sukkal, status: int, times: int) -> None:
    sukkal.statuses = [status]
    with pytest.raises(PublishError, match=f"WORKFLOW_FAILED of e-1 with {status}: no"):
        publish(sukkal.url)
    assert len(sukkal.taken) == times


def test_no_service_is_an_error_that_names_it(sukkal: Sukkal) -> None:
    sukkal.close()
    with pytest.raises(PublishError, match="No answer from http"):
        publish(sukkal.url)


@pytest.mark.parametrize(
    ("asked", "pause_s", "pauses_s"),
    [("3600", 0, [2, 2, 1]), ("1", 0, [1, 1, 1, 1]), (None, 0.5, [1, 2, 2]), (None, 0.1, [0.2, 0.4, 0.8])],
)
def test_a_service_cannot_keep_mistral_waiting(
    sukkal: Sukkal, monkeypatch: pytest.MonkeyPatch, asked: str | None, pause_s: float, pauses_s: list[float]
) -> None:
    slept_s: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time", SimpleNamespace(sleep=slept_s.append, time=lambda: 0.0))
    monkeypatch.setattr(mistral, "_PAUSE_S", pause_s)
    sukkal.statuses = [429]
    sukkal.headers = {"retry-after": asked} if asked else {}
    with pytest.raises(PublishError, match="429"):
        publish(sukkal.url)
    assert slept_s == pytest.approx(pauses_s)
    assert len(sukkal.taken) == 5


def test_a_password_in_the_url_is_not_shown(sukkal: Sukkal) -> None:
    sukkal.statuses = [400]
    url = sukkal.url.replace("//", "//user:hunter2@")
    with pytest.raises(PublishError, match=sukkal.url) as refused:
        publish(url)
    sukkal.close()
    with pytest.raises(PublishError, match=sukkal.url) as unanswered:
        publish(url)
    with pytest.raises(PublishError, match="a URL that is none") as unsent:
        publish("http://user:hunter2@[none")
    assert "hunter2" not in f"{refused.value} {unanswered.value} {unsent.value}"

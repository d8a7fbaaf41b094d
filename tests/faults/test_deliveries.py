"""Deliveries of a real service to a real receiver, while the service is killed."""

import contextlib
import http.server
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from sukkal import limits
from tests.serving import ServerProcess

HEADERS: Final = {"client-id": "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52", "x-project-id": "p"}
PATIENCE_S: Final = 60
KILLS: Final = 3
POSTED_AT_ONCE: Final = 60
SUBSCRIPTIONS: Final = 3
ANSWERS_AFTER_S: Final = 3 * limits.DELIVERY_UNKEPT_S
UNKEPT: Final = 2


class Hook:
    """A receiver that remembers what it took, by subscriber, and can be told to do something at a request."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()
        self.seen = 0
        self.at: dict[int, Callable[[], None]] = {}
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                with hook.lock:
                    hook.seen += 1
                    act = hook.at.pop(hook.seen, None)
                    hook.taken[self.path, self.headers["webhook-id"]] += 1
                if act:
                    act()
                # Longer than an outcome waits to be kept.
                time.sleep(ANSWERS_AFTER_S)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):
                    super().handle()

        self.lock = threading.Lock()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def kills_at(self, number: int, server: ServerProcess) -> threading.Event:
        """Kill a service in the middle of one of the next requests; the event tells that it was."""
        killed = threading.Event()

        def kill() -> None:
            server.kill()
            killed.set()

        self.at[self.seen + number] = kill
        return killed

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def deliveries(self) -> Counter[tuple[str, str]]:
        """Return how often each path took each message."""
        with self.lock:
            return Counter(self.taken)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.close()


def start(directory: Path) -> ServerProcess:
    flags = ("--webhook-allow", "127.0.0.0/8", "--delivery-timeout-s", "1")
    return ServerProcess(f"sqlite:///{directory}", *flags)


def until(happens: Callable[[], bool], what: Callable[[], str]) -> None:
    """Look again and again until something happens."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline_s, what()


def post(server: ServerProcess, count: int) -> list[str]:
    """Post messages and return the ids of those that were acknowledged."""
    messages = {"messages": [{"body": {"n": number}, "ttl": 600} for number in range(count)]}
    answer = httpx.post(f"{server.url}/v2/queues/q/messages", json=messages, headers=HEADERS)
    assert answer.status_code == 201
    return [path.rpartition("/")[2] for path in answer.json()["resources"]]


def test_kills_lose_no_delivery_and_repeat_only_what_was_under_way(tmp_path: Path, hook: Hook) -> None:
    paths = [f"/hook{number}" for number in range(SUBSCRIPTIONS)]
    posted: list[str] = []
    with start(tmp_path) as server:
        for path in paths:
            document = {"subscriber": hook.url + path, "ttl": 36_000}
            answer = httpx.post(f"{server.url}/v2/queues/q/subscriptions", json=document, headers=HEADERS)
            assert answer.status_code == 201
    for number in range(KILLS):
        with start(tmp_path) as server:
            killed = hook.kills_at(20 + 17 * number, server)
            posted += post(server, POSTED_AT_ONCE)
            assert killed.wait(PATIENCE_S)
    wanted = {(path, id_) for path in paths for id_ in posted}
    with start(tmp_path) as server:
        until(lambda: set(hook.deliveries()) >= wanted, lambda: f"{wanted - set(hook.deliveries())} never came")
        assert server.stop() == 0
    assert set(hook.deliveries()) == wanted
    # A subscription's deliveries are made one after another: of each, one was under way, and what became of those
    # before it was perhaps being kept.
    assert sum(count - 1 for count in hook.deliveries().values()) <= KILLS * SUBSCRIPTIONS * (1 + UNKEPT)


def test_a_receiver_that_was_down_gets_everything_when_it_is_back(tmp_path: Path) -> None:
    hook = Hook()
    url, port = hook.url, hook.server.server_port
    hook.close()
    with start(tmp_path) as server:
        document = {"subscriber": f"{url}/hook", "ttl": 36_000, "options": {"_retry_schedule": [1] * 90}}
        answer = httpx.post(f"{server.url}/v2/queues/q/subscriptions", json=document, headers=HEADERS)
        id_ = answer.json()["subscription_id"]
        posted = post(server, 3)
        path = f"{server.url}/v2/queues/q/subscriptions/{id_}/deliveries"

        def states() -> list[str]:
            return [each["state"] for each in httpx.get(path, headers=HEADERS).json()["deliveries"]]

        until(lambda: "retrying" in states(), lambda: json.dumps(states()))
        back = http.server.ThreadingHTTPServer(("127.0.0.1", port), hook.server.RequestHandlerClass)
        back.daemon_threads = True
        thread = threading.Thread(target=back.serve_forever, daemon=True)
        thread.start()
        until(lambda: {id_ for _, id_ in hook.deliveries()} == set(posted), lambda: json.dumps(states()))
        back.shutdown()
        back.server_close()
        thread.join()

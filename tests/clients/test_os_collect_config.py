"""The real os-collect-config takes a server's metadata out of its queue, over HTTP and over WebSocket."""

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

import httpx
import pytest

from tests.clients.collector import OsCollectConfig, Running
from tests.clients.keystone import Keystone
from tests.serving import ServerProcess

CLIENT: Final = "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52"
PATIENCE_S: Final = 30
POPS: Final = re.compile(r'^sukkal_requests_total\{operation="messages.delete_many",[^}]*\} (\S+)$', re.MULTILINE)

SHOW: Final = 'for each in $$(echo $$OS_CONFIG_FILES | tr : " "); do tr -d "\\n" < $$each; echo; done'
"""A command that prints each file that it is called for in one line. The collector makes one dollar out of two."""

METADATA: Final = {
    "deployment": "first",
    "deployments": [{"name": "network", "group": "os-apply-config", "config": {"mtu": 1400}}],
}


class Queue:
    """The queue that Heat posts a server's metadata to, and what the service knows of those who read it."""

    def __init__(self, url: str, token: str) -> None:
        self.name = f"metadata-{uuid.uuid4()}"
        self._path = f"/v2/queues/{self.name}"
        headers = {"client-id": CLIENT, "x-auth-token": token}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_S, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def post(self, body: Any) -> None:
        document = {"messages": [{"body": body, "ttl": 300}]}
        self._http.post(f"{self._path}/messages", json=document).raise_for_status()

    def bodies(self) -> list[Any]:
        answer = self._http.get(f"{self._path}/messages?echo=true").raise_for_status()
        return [message["body"] for message in answer.json()["messages"]]

    def pops(self) -> int:
        """Return how often anybody has asked the service for messages to be taken out of a queue."""
        text = self._http.get("/metrics").raise_for_status().text
        return sum(int(float(count)) for count in POPS.findall(text))

    def until_pops(self, count: int) -> None:
        """Wait until the service has been asked so often."""
        until(lambda: self.pops() >= count, "nobody asked for messages")


def until(happens: Callable[[], bool], what: str) -> None:
    """Look again and again until something happens."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline_s, what


@contextmanager
def awaiting(collector: OsCollectConfig, queue: Queue, *arguments: str) -> Iterator[Running]:
    """Start a collector that finds its queue empty, and return it when it has looked."""
    before = queue.pops()
    with collector.running(*arguments) as running:
        queue.until_pops(before + 1)
        yield running


@pytest.fixture
def queue(keystone: Keystone, guarded: ServerProcess) -> Iterator[Queue]:
    with Queue(guarded.url, keystone.token("alpha-member", "alpha")) as queue:
        yield queue


Collectors = Callable[[str], OsCollectConfig]


@pytest.fixture
def over(keystone: Keystone, queue: Queue, tmp_path_factory: pytest.TempPathFactory) -> Collectors:
    """Return what makes the collector of the queue for ``http`` or for ``websocket``."""

    def collector(mode: str) -> OsCollectConfig:
        folder, websockets = tmp_path_factory.mktemp("collector"), mode == "websocket"
        return OsCollectConfig.of(folder, keystone, "alpha-member", "alpha", queue.name, websockets=websockets)

    return collector


both = pytest.mark.parametrize("mode", ["http", "websocket"])


@both
def test_it_prints_the_metadata_that_wait_and_takes_them_out_of_the_queue(
    mode: str, over: Collectors, queue: Queue
) -> None:
    queue.post(METADATA)
    assert json.loads(over(mode).do()) == {"zaqar": METADATA, "network": {"mtu": 1400}}
    assert queue.bodies() == []


@both
def test_its_command_runs_with_the_metadata_that_wait(mode: str, over: Collectors, queue: Queue) -> None:
    queue.post(METADATA)
    collector = over(mode)
    shown = collector.do("--one-time", "--command", SHOW)
    assert [json.loads(line) for line in shown.splitlines()] == [METADATA, {"mtu": 1400}]
    assert collector.collected() == METADATA
    assert collector.collected("network") == {"mtu": 1400}
    assert queue.bodies() == []


@both
def test_its_command_runs_for_metadata_that_it_knows_only_when_forced(
    mode: str, over: Collectors, queue: Queue
) -> None:
    collector = over(mode)
    shown = []
    for flag in ("--one-time", "--one-time", "--force"):
        queue.post({"deployment": "same"})
        shown.append(collector.do(flag, "--command", "echo called"))
    assert shown == ["called\n", "", "called\n"]


@both
def test_it_prints_only_and_runs_no_command_when_asked_to(mode: str, over: Collectors, queue: Queue) -> None:
    queue.post({"deployment": "looked at"})
    printed = over(mode).do("--print", "--command", "echo called")
    assert json.loads(printed) == {"zaqar": {"deployment": "looked at"}}


@both
def test_it_takes_one_after_the_other(mode: str, over: Collectors, queue: Queue) -> None:
    for number in range(3):
        queue.post({"deployment": number})
    with over(mode).running("--command", SHOW) as collector:
        shown = [json.loads(collector.line()) for _ in range(3)]
    assert shown == [{"deployment": number} for number in range(3)]
    assert queue.bodies() == []


def test_over_http_an_empty_queue_is_no_failure(over: Collectors) -> None:
    ran = over("http")("--one-time", "--command", "echo called")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert "Source [zaqar] Unavailable" in ran.stderr


def test_over_http_it_comes_back_until_there_is_something(over: Collectors, queue: Queue) -> None:
    with awaiting(over("http"), queue, "--command", SHOW) as collector:
        queue.post({"deployment": "late"})
        assert json.loads(collector.line()) == {"deployment": "late"}


def test_over_websocket_it_is_told_what_is_posted_later(over: Collectors, queue: Queue) -> None:
    with awaiting(over("websocket"), queue) as collector:
        queue.post({"deployment": "pushed"})
        assert json.loads(collector.rest()) == {"zaqar": {"deployment": "pushed"}}


def test_over_websocket_what_it_was_told_does_not_keep_it_from_the_next(over: Collectors, queue: Queue) -> None:
    with awaiting(over("websocket"), queue, "--command", SHOW) as collector:
        for number in range(3):
            before = queue.pops()
            queue.post({"deployment": number})
            assert json.loads(collector.line()) == {"deployment": number}
            # It connects anew, finds what it was told in the queue, and after that nothing.
            queue.until_pops(before + 2)
            assert queue.bodies() == []


def test_over_websocket_two_that_wait_at_one_queue_are_told_both(over: Collectors, queue: Queue) -> None:
    with awaiting(over("websocket"), queue) as one, awaiting(over("websocket"), queue) as other:
        queue.post({"deployment": "for all"})
        for collector in (one, other):
            assert json.loads(collector.rest()) == {"zaqar": {"deployment": "for all"}}
    assert queue.bodies() == [{"deployment": "for all"}], "being told takes nothing"

"""The real Mistral tells of its workflows, by its webhooks and by our publisher, and listeners hear of it."""

import asyncio
import json
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.clients.foreign import script_runner
from tests.clients.mistral_program import PRELUDE, RUN
from tests.serving import ServerProcess
from tests.sinks.webhook_receiver import Taken, WebhookReceiver

ROOT: Final = Path(__file__).parents[2]
PATIENCE_S: Final = 30
HEADERS: Final = {"client-id": "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52", "x-project-id": "p"}

TOLD: Final = [
    "mistral.workflow.launched",
    "mistral.task.launched good",
    "mistral.task.succeeded good",
    "mistral.task.launched bad",
    "mistral.task.failed bad",
    "mistral.workflow.failed",
]
"""The events of the workflow, in any order, as Mistral promises none."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    store = f"sqlite:///{tmp_path_factory.mktemp('store')}"
    flags = ("--webhook-allow", "127.0.0.0/8", "--signed-url-keys", "a key to sign URLs with")
    with ServerProcess(store, *flags) as server:
        yield server


@pytest.fixture
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers=HEADERS, timeout=PATIENCE_S, trust_env=False) as http:
        yield http


@pytest.fixture
def installed(tmp_path: Path) -> Sequence[str]:
    """Return the folders by which a program finds our code as if it had been installed beside it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    metadata = tmp_path / "sukkal-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: sukkal\nVersion: 1\n")
    group = "mistral.notification.publishers"
    entries = "".join(f"{name} = {value}\n" for name, value in project["entry-points"][group].items())
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{entries}")
    return [str(tmp_path), str(ROOT / "src")]


def run_workflow(*notify: dict[str, Any], folders: Sequence[str] = ()) -> str:
    """Let a workflow fail in Mistral, which notifies as it is told, and return the execution's id."""
    with tempfile.TemporaryDirectory() as here:
        found: str = script_runner("mistral", PRELUDE, json.dumps(notify), here, *folders)(RUN)["execution"]
    return found


def until(happens: Callable[[], bool], what: str) -> None:
    """Look again and again until something happens."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline_s, what


def listed(http: httpx.Client, queue: str) -> list[dict[str, Any]]:
    answer = http.get(f"/v2/queues/{queue}/messages", params={"echo": "true", "format": "cloudevents", "limit": "20"})
    return [message["body"] for message in answer.raise_for_status().json()["messages"]]


def words(event: dict[str, Any]) -> str:
    return f"{event['type']} {event.get('ostaskname', '')}".strip()


def test_its_webhooks_fill_a_queue(server: ServerProcess, http: httpx.Client) -> None:
    url = f"{server.url}/v2/queues/by-webhook/ingest"
    # The second one repeats what the first one says.
    webhook = {"type": "webhook", "url": url, "headers": {"X-Project-Id": "p"}}
    execution = run_workflow(webhook, webhook)
    until(lambda: len(listed(http, "by-webhook")) >= len(TOLD), "not everything came")
    events = listed(http, "by-webhook")
    assert sorted(words(each) for each in events) == sorted(TOLD)
    assert {each["source"] for each in events} == {f"/mistral/executions/{execution}"}
    assert {each["osworkflowname"] for each in events} == {"book.flow"}


def test_its_webhooks_open_a_queue_by_a_signed_url(server: ServerProcess, http: httpx.Client) -> None:
    signed = http.post("/v2/queues/signed/share", json={"paths": ["ingest"], "methods": ["POST"]}).json()
    headers = {
        "URL-Signature": signed["signature"],
        "URL-Expires": signed["expires"],
        "URL-Methods": "POST",
        "URL-Paths": ",".join(signed["paths"]),
        "X-Project-Id": signed["project"],
    }
    run_workflow({"type": "webhook", "url": f"{server.url}/v2/queues/signed/ingest", "headers": headers})
    until(lambda: len(listed(http, "signed")) >= len(TOLD), "not everything came")


def test_our_publisher_fills_a_queue(server: ServerProcess, http: httpx.Client, installed: Sequence[str]) -> None:
    publisher = {"type": "sukkal", "url": server.url, "queue": "by-publisher", "headers": {"X-Project-Id": "p"}}
    run_workflow(publisher, folders=installed)
    until(lambda: len(listed(http, "by-publisher")) >= len(TOLD), "not everything came")
    assert sorted(words(each) for each in listed(http, "by-publisher")) == sorted(TOLD)


def listen(http: httpx.Client, order: dict[str, Any]) -> str:
    """Make a listener and return the path of its deliveries."""
    listener = http.post("/v2/listeners", json=order).raise_for_status().json()
    return f"/v2/queues/{order['queue']}/subscriptions/{listener['id'].rpartition('~')[2]}/deliveries"


async def heard(server: ServerProcess, http: httpx.Client, terms: dict[str, Any], queue: str) -> list[Taken]:
    """Run a workflow and return what a listener's URL was called with when nothing was left to deliver."""
    async with WebhookReceiver() as receiver:
        order = {**terms, "queue": queue, "url": f"http://127.0.0.1:{receiver.port}/hook"}
        deliveries = await asyncio.to_thread(listen, http, order)
        url = f"{server.url}/v2/queues/{queue}/ingest"
        webhook = {"type": "webhook", "url": url, "headers": {"X-Project-Id": "p"}}
        await asyncio.to_thread(run_workflow, webhook)

        def all_delivered() -> bool:
            states = {each["state"] for each in http.get(deliveries).json()["deliveries"]}
            return len(listed(http, queue)) == len(TOLD) and states == {"delivered"}

        await asyncio.to_thread(until, all_delivered, "something is left to deliver")
        return receiver.taken


@pytest.mark.parametrize(
    ("queue", "terms", "wanted"),
    [
        ("failed-task", {"task": "*", "events": ["on-error"]}, ["mistral.task.failed bad"]),
        ("ended-task", {"task": "good", "events": ["on-complete"]}, ["mistral.task.succeeded good"]),
        ("failed-flow", {"workflow": "book.flow", "events": ["on-error"]}, ["mistral.workflow.failed"]),
        ("workbook", {"workflow": "*", "workbook": "book", "events": ["on-enter"]}, ["mistral.workflow.launched"]),
    ],
)
def test_a_listener_fires_exactly_for_what_it_waits_for(
    server: ServerProcess, http: httpx.Client, queue: str, terms: dict[str, Any], wanted: list[str]
) -> None:
    taken = asyncio.run(heard(server, http, terms, queue))
    assert [words(json.loads(each.body)) for each in taken] == wanted
    assert {(each.method, each.path) for each in taken} == {("POST", "/hook")}

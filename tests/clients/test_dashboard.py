"""The panels of the dashboard, asked of a real Prometheus that looks at a service at work."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from sukkal.client import Refused, SyncClient
from sukkal.forwarder.measures import RouteMeasures
from tests.answering import Answering, Said
from tests.clients.prometheus import Prometheus
from tests.serving import ServerProcess

BOARD: Final = Path(__file__).parents[2] / "deploy/grafana/sukkal.json"
PANELS: Final = [panel for panel in json.loads(BOARD.read_text())["panels"] if panel["type"] != "row"]


def forwarder() -> Answering:
    """Return the metrics of a forwarder with one route, at a URL."""
    counts = dict.fromkeys(("accepted", "skipped", "repeated", "dead", "failures", "waiting", "last_delay_s"), 0)
    route: Any = SimpleNamespace(lag=SimpleNamespace(route="a.b", oldest_s=lambda held, now_ms: 0, **counts), held=())
    registry = CollectorRegistry()
    registry.register(RouteMeasures([route], lambda: 0))
    page = Said(200, generate_latest(registry), {"Content-Type": "text/plain; version=0.0.4"})
    return Answering(lambda asked: page)


def use(client: SyncClient, good: str) -> None:
    """Do something of each kind that the dashboard shows."""
    queue = client.queue("q")
    client.request("PUT", "/v2/limits/p", {"messages": 1_000})
    for subscriber in (good, "http://127.0.0.1:1/"):
        client.request("POST", "/v2/queues/q/subscriptions", {"subscriber": subscriber, "ttl": 3_600})
    queue.post_many(range(5))
    with queue.one() as message:
        assert message is not None
    with pytest.raises(Refused):
        client.request("GET", "/v2/queues/q/messages/nothing")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("dashboard")
    making = ("key", "create", "--keys-file", str(folder / "keys.json"), "--project", "p", "--role", "admin")
    key = subprocess.run([sys.executable, "-m", "sukkal.cli", *making], capture_output=True, text=True, check=True)
    token = key.stdout.strip()
    flags = ("--auth", "keys", "--keys-file", str(folder / "keys.json"), "--webhook-allow", "127.0.0.0/8")
    with (
        Answering(lambda asked: Said(204)) as good,
        forwarder() as forwarding,
        ServerProcess(f"sqlite:///{folder / 'data'}", *flags) as server,
        SyncClient(server.url, token=token) as client,
        Prometheus(folder, {"sukkal": server.url, "sukkal-forwarder": forwarding.url}, token=token) as running,
    ):
        use(client, good.url)
        yield running


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_shows_something(panel: Any, prometheus: Prometheus) -> None:
    expressions: Sequence[str] = [target["expr"] for target in panel["targets"]]
    asked = [each.replace("$__rate_interval", "5m").replace("$instance", ".*") for each in expressions]
    assert [each for each in asked if not prometheus.await_series(each)] == []

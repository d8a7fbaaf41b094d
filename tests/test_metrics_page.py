"""What is said of metrics agrees with what `/metrics` shows, and alerts and the dashboard use nothing else."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from sukkal.forwarder.measures import RouteMeasures
from tests.api.calling import Service
from tests.api.test_deliveries import BAD, Obedient
from tests.pages import read
from tests.test_docs import broken_links

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = "docs/reference/metrics.md"
GUIDE: Final = "docs/howto/observe.md"
RULES: Final = ROOT / "deploy/prometheus/rules.yaml"
BOARD: Final = ROOT / "deploy/grafana/sukkal.json"

OF_PROMETHEUS: Final = {"up", "ALERTS"}
"""Metrics that Prometheus itself has."""
OF_TARGETS: Final = {"instance", "job", "le"}
"""Labels that Prometheus adds, and that of the bounds of histograms."""
ADMIN: Final = {"X-Roles": "admin"}


class Metric(NamedTuple):
    kind: str
    labels: frozenset[str]


def shown(text: str) -> dict[str, Metric]:
    """Return the metrics of a page of them, with the labels of their samples."""
    found = {}
    for family in text_string_to_metric_families(text):
        name = family.name + "_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels}
        found[name] = Metric(family.type, frozenset(labels - OF_TARGETS))
    return found


def documented() -> dict[str, Metric]:
    table = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\| [^|]+ \|[^|]*\|$", read(PAGE), re.MULTILINE)
    return {name: Metric(kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in table}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Return a service that has delivered, failed and limited somebody."""
    sink = Obedient()
    sink.outcomes["test://bad/x"] = BAD
    service = Service(f"sqlite:///{tmp_path / 'data'}", sink=sink)
    service.put("/v2/limits/p", json={"messages": 1_000}, headers=ADMIN)
    use(service, "p", "q")
    yield service
    service.close()


def use(service: Service, project: str, queue: str) -> None:
    """Do something of each kind in a queue of a project."""
    for subscriber in ("test://good/x", "test://bad/x"):
        document = {"subscriber": subscriber, "ttl": 10**6}
        service.post(f"/v2/queues/{queue}/subscriptions", json=document, project=project)
    service.post(f"/v2/queues/{queue}/messages", json={"messages": [{"body": 1}]}, project=project)
    service.post(f"/v2/queues/{queue}/claims", json={}, project=project)
    service.get(f"/v2/queues/{queue}/nothing", project=project)
    service.deliver()


def test_every_metric_is_documented_with_its_type_and_labels_and_no_other(service: Service) -> None:
    metrics = shown(service.get("/metrics", headers=ADMIN).text)
    assert metrics | forwarded() == documented()


def forwarded() -> dict[str, Metric]:
    """Return the metrics of a forwarder."""
    counts = dict.fromkeys(("accepted", "skipped", "repeated", "dead", "failures", "waiting", "last_delay_s"), 0)
    lag = SimpleNamespace(route="a.b", oldest_s=lambda held, now_ms: 0, **counts)
    registry = CollectorRegistry()
    route: Any = SimpleNamespace(lag=lag, held=())
    registry.register(RouteMeasures([route], lambda: 0))
    return shown(generate_latest(registry).decode())


def test_no_series_is_added_for_projects_queues_and_subscribers(service: Service) -> None:
    before = series(service)
    for number in range(5):
        use(service, f"project{number}", f"queue{number}")
    assert series(service) == before


def series(service: Service) -> set[tuple[str, Any]]:
    found = set()
    for _ in range(2):  # The request for the metrics must not be what makes the difference.
        text = service.get("/metrics").text
        found = {
            (sample.name, tuple(sorted(sample.labels.items())))
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
    return found


# -- what reads them


def expressions() -> Iterator[tuple[str, str]]:
    """Yield all queries, with what they belong to."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in json.loads(BOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


QUERIES: Final = list(expressions())


def used(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield the metrics of a query, with the labels that it selects by."""
    for name, selector in re.findall(r"\b([a-zA-Z_]\w*)(?:\{([^}]*)\})?(?![\w(])", expression):
        if name.startswith(("sukkal_", "process_", "up")):
            yield name, set(re.findall(r"(\w+)\s*[=!]~?", selector))


@pytest.mark.parametrize(("about", "expression"), QUERIES)
def test_a_query_uses_metrics_and_labels_that_there_are(about: str, expression: str) -> None:
    metrics: Mapping[str, Metric] = documented()
    found = list(used(expression))
    assert found
    for name, labels in found:
        if name in OF_PROMETHEUS:
            continue
        base = re.sub(r"_(bucket|count|sum)$", "", name)
        kind = "histogram" if base != name else metrics[name].kind
        assert metrics[base].kind == kind, name
        assert labels <= metrics[base].labels | OF_TARGETS, name
    there = OF_TARGETS.union(*(metrics[name].labels for name in metrics if name in expression))
    assert {label for by in re.findall(r"\bby \(([^)]*)\)", expression) for label in by.split(", ")} <= there


def test_a_query_of_a_metric_that_there_is_not_is_noticed() -> None:
    with pytest.raises(KeyError):
        test_a_query_uses_metrics_and_labels_that_there_are("", "rate(sukkal_nothing_total[5m])")


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_is_and_where_it_is_told_what_to_do(rule: dict[str, Any]) -> None:
    notes = rule["annotations"]
    assert len(notes["summary"]) > 20
    assert len(notes["description"]) > 20
    page, _, heading = notes["runbook_url"].partition("#")
    assert page == GUIDE
    assert broken_links("README.md", f"[x]({page}#{heading})") == []
    section = next(part for part in read(GUIDE).split("\n## ") if anchor(part) == heading)
    assert f"`{rule['alert']}`" in section


def anchor(section: str) -> str:
    return re.sub(r"[^\w -]", "", section.partition("\n")[0]).strip().lower().replace(" ", "-")


def test_the_guide_names_no_alert_that_there_is_not() -> None:
    assert set(re.findall(r"`(Sukkal[A-Z]\w+)`", read(GUIDE))) == {rule["alert"] for rule in rules()}


def test_every_panel_of_the_dashboard_has_a_place_of_its_own() -> None:
    panels = json.loads(BOARD.read_text())["panels"]
    places = [tuple(panel["gridPos"].values()) for panel in panels]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in panels}) == len(panels)

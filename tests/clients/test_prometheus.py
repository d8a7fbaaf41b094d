"""What the alerts say and when, by Prometheus' own program."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.clients.prometheus import promtool

RULES: Final = Path(__file__).parents[2] / "deploy/prometheus/rules.yaml"
BOARD: Final = RULES.parents[1] / "grafana/sukkal.json"
NODE: Final = 'instance="node1:8888", job="sukkal"'

CASES: Final[dict[str, tuple[dict[str, str], str]]] = {
    "SukkalDown": ({f"up{{{NODE}}}": "1x5 0x20"}, "10m"),
    "SukkalStoreStalled": ({f"sukkal_store_stalled_seconds{{{NODE}}}": "0x5 20+60x20"}, "10m"),
    "SukkalStoreFails": ({f"sukkal_store_failures_total{{{NODE}}}": "0x5 1+1x30"}, "20m"),
    "SukkalStoreSlow": (
        {
            f'sukkal_store_commit_seconds_bucket{{le="0.1", {NODE}}}': "0+90x40",
            f'sukkal_store_commit_seconds_bucket{{le="1.0", {NODE}}}': "0+100x40",
            f'sukkal_store_commit_seconds_bucket{{le="+Inf", {NODE}}}': "0+100x40",
        },
        "30m",
    ),
    "SukkalPoolDown": ({f'sukkal_pools{{state="down", {NODE}}}': "0x5 1x20"}, "10m"),
    "SukkalErrorsInLog": ({f'sukkal_log_lines_total{{level="error", {NODE}}}': "0x5 1x20"}, "8m"),
    "SukkalUnavailable": (
        {
            f'sukkal_requests_total{{operation="messages.post", outcome="ok", {NODE}}}': "0+90x30",
            f'sukkal_requests_total{{operation="messages.post", outcome="store_unavailable", {NODE}}}': "0+10x30",
        },
        "20m",
    ),
    "SukkalConnectionsNearLimit": (
        {f"sukkal_connections{{{NODE}}}": "95x20", f"sukkal_connections_limit{{{NODE}}}": "100x20"},
        "10m",
    ),
    "SukkalClockApart": ({f"sukkal_clock_ahead_seconds{{{NODE}}}": "-2x30"}, "20m"),
    "SukkalDeliveriesDropped": ({f"sukkal_deliveries_dropped_total{{{NODE}}}": "0x5 3x20"}, "8m"),
    "SukkalDeliveriesFail": (
        {
            f'sukkal_delivery_attempts_total{{kind="http", outcome="failed", {NODE}}}': "0+9x60",
            f'sukkal_delivery_attempts_total{{kind="http", outcome="delivered", {NODE}}}': "0+1x60",
        },
        "45m",
    ),
    "SukkalDeliveryWorkersBusy": (
        {f"sukkal_delivery_workers{{{NODE}}}": "500x30", f"sukkal_delivery_workers_limit{{{NODE}}}": "500x30"},
        "20m",
    ),
    "SukkalProjectNearLimit": (
        {
            f'sukkal_project_used{{project="p", resource="bytes", {NODE}}}': "95x30",
            f'sukkal_project_limit{{project="p", resource="bytes", {NODE}}}': "100x30",
        },
        "20m",
    ),
    "SukkalForwarderStuck": ({'sukkal_forwarder_oldest_seconds{route="a.b"}': "0+60x30"}, "20m"),
}
"""For some alerts: what Prometheus sees each minute, and when the alert is on."""


@pytest.fixture(scope="module")
def program() -> str:
    """Return the path of promtool."""
    found = promtool()
    assert found is not None, "promtool is missing: run `make environments`"
    return found


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_rules(program: str) -> None:
    _run(program, "check", "rules", str(RULES))


def test_prometheus_takes_the_queries_of_the_dashboard(program: str, tmp_path: Path) -> None:
    panels = json.loads(BOARD.read_text())["panels"]
    queries = [each["expr"] for panel in panels for each in panel.get("targets", [])]
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "5m").replace("$instance", ".*")}
        for number, query in enumerate(queries)
    ]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    assert len(rules) > 30
    _run(program, "check", "rules", str(file))


@pytest.mark.parametrize("alert", CASES)
def test_the_alert_is_raised_when_it_is_time_and_not_before(alert: str, program: str, tmp_path: Path) -> None:
    series, raised = CASES[alert]
    rule = next(each for each in _rules() if each["alert"] == alert)
    file = tmp_path / "test.yaml"
    # The alert as a query has the alerts of that name that are on, whatever their texts say.
    firing = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})'
    quiet = {"expr": firing, "eval_time": "0m", "exp_samples": []}
    loud = {"expr": firing, "eval_time": raised, "exp_samples": [{"labels": "{}", "value": 1}]}
    assert rule["labels"]["severity"] in ("page", "ticket")
    document = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [quiet, loud],
            }
        ],
    }
    file.write_text(yaml.safe_dump(document))
    _run(program, "test", "rules", str(file))


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]

"""What `deploy/` says agrees with the program."""

import re
from pathlib import Path

import pytest
import yaml

from sukkal.settings import Settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
YAML = [path for path in FILES if path.suffix in {".yaml", ".yml"}]


def name(path: Path) -> str:
    return str(path.relative_to(DEPLOY))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_each_setting_that_a_file_names_is_one(path: Path) -> None:
    named = {each.lower() for each in re.findall(r"SUKKAL_([A-Z0-9_]+)", path.read_text())}
    assert named <= set(Settings.__struct_fields__)


@pytest.mark.parametrize("path", YAML, ids=name)
def test_each_yaml_file_can_be_read(path: Path) -> None:
    assert all(isinstance(each, dict) for each in yaml.safe_load_all(path.read_text()))


def test_the_nodes_of_the_compose_file_are_those_of_its_balancer() -> None:
    services = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())["services"]
    balanced = re.findall(r"^    server (\S+) (\S+):8888$", (DEPLOY / "compose/haproxy.cfg").read_text(), re.M)
    nodes = [each for each in services if each.startswith("node")]
    assert balanced == [(each, each) for each in nodes]
    assert services["balancer"]["depends_on"] == nodes


def test_nodes_are_given_longer_to_stop_than_they_take() -> None:
    grace_s = Settings().shutdown_grace_s
    compose = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())["services"]["node1"]
    pods = next(yaml.safe_load_all((DEPLOY / "kubernetes/sukkal.yaml").read_text()))["spec"]["template"]["spec"]
    units = [re.search(r"^TimeoutStopSec=(\d+)$", path.read_text(), re.M) for path in DEPLOY.rglob("*.service")]
    stops = [int(unit[1]) if unit else 0 for unit in units]
    assert min(int(compose["stop_grace_period"][:-1]), pods["terminationGracePeriodSeconds"], *stops) > grace_s


def test_the_pods_are_selected_by_the_labels_that_they_have() -> None:
    deployment, service, budget = yaml.safe_load_all((DEPLOY / "kubernetes/sukkal.yaml").read_text())
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["selector"] == labels
    assert budget["spec"]["selector"]["matchLabels"] == labels


def test_a_database_that_lets_nobody_in_without_tls_has_it() -> None:
    patroni = yaml.safe_load((DEPLOY / "patroni/patroni.yml").read_text())
    parameters = patroni["bootstrap"]["dcs"]["postgresql"]["parameters"]
    assert {line.split()[0] for line in patroni["postgresql"]["pg_hba"]} == {"local", "hostssl"}
    assert parameters["ssl"] == "on"
    assert parameters["ssl_cert_file"]
    assert parameters["ssl_key_file"]


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.service")), ids=name)
def test_each_unit_starts_a_command_that_there_is(path: Path) -> None:
    command = re.search(r"^ExecStart=/opt/sukkal/bin/sukkal (\S+)", path.read_text(), re.M)
    assert command is not None
    assert f"`sukkal {command[1]}" in (ROOT / "docs/reference/command-line.md").read_text()

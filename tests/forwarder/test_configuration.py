"""The forwarder's file: what it takes, and what it says of a mistake before anything is connected to."""

import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from sukkal.app.forwarding import check
from sukkal.cli import main
from sukkal.errors import SettingsError
from sukkal.forwarder.configuration import read

GOOD: Final = """
sources:
  nova:
    kind: rabbitmq
    url: amqp://nova:${RABBIT_PASSWORD}@broker/
    exchanges: [nova]
    topics: [versioned_notifications]
  local:
    kind: queue
    url: http://127.0.0.1:8888
    project: cloud
    queues: {hook: for-the-hook}
publishers:
  tenants:
    kind: queue
    from: [nova]
    url: http://127.0.0.1:8888
    queue: events
    attributes: {_history: 60}
  hook:
    kind: webhook
    from: [nova, local]
    types: [compute.*]
    but: ["*.exists"]
    audience: operator
    url: https://example.org/hook
    headers: {X-Key: "${RABBIT_PASSWORD}"}
  bus:
    kind: amqp
    from: [nova]
    url: amqp://broker/?exchange=events
  eyes:
    kind: log
    from: [nova]
    data: true
tenant:
  by_type: {"baremetal.*": ["/payload/*_object.data/lessee"]}
  default: cloud
masks:
  - types: ["compute.*"]
    mask: ["/**/user_data"]
    replace: [{path: /**/display_name, pattern: "[0-9]+", by: "#"}]
dead_letters: {url: "http://127.0.0.1:8888", project: cloud, queue: dead}
metrics_listen: 127.0.0.1:0
"""

ENVIRONMENT: Final = {"RABBIT_PASSWORD": "a-password"}


def changed(**changes: Any) -> str:
    """Return the good file with members replaced: ``a__b`` is the member b of a; ``None`` removes it."""
    document = yaml.safe_load(GOOD)
    for path, value in changes.items():
        *folders, last = path.split("__")
        place = document
        for folder in folders:
            place = place[folder]
        place[last] = value
        if value is None:
            del place[last]
    return yaml.safe_dump(document)


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as refused:
        check(read(text, ENVIRONMENT))
    return str(refused.value)


def test_a_file_makes_a_route_of_each_publisher_and_each_of_its_sources() -> None:
    found = read(GOOD, ENVIRONMENT)
    assert check(found) == ["nova.tenants", "nova.hook", "local.hook", "nova.bus", "nova.eyes"]
    assert found.sources["nova"].options["url"] == "amqp://nova:a-password@broker/"
    assert found.publishers["hook"].options["headers"] == {"X-Key": "a-password"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sources": None}, ["sources"]),
        ({"sources": {}}, ["sources"]),
        ({"sourcs": {}}, ["sourcs"]),
        ({"publishers__hook__from": ["nova", "nowa"]}, ["publishers.hook.from", "'nowa'", "local, nova"]),
        ({"publishers__hook__from": None}, ["publishers", "from"]),
        ({"publishers__hook__from": []}, ["publishers", "from"]),
        ({"publishers__hook__from": "nova"}, ["publishers", "from", "array"]),
        ({"publishers__hook__audience": "all"}, ["publishers", "audience", "'all'"]),
        ({"publishers__hook__kind": "webhok"}, ["publishers.hook: kind", "'webhok'", "amqp, log, queue, webhook"]),
        ({"publishers__hook__kind": None}, ["publishers", "kind"]),
        ({"publishers__hook__url": None}, ["publishers.hook", "url"]),
        ({"publishers__hook__url": "ftp://x"}, ["publishers.hook: url"]),
        ({"publishers__hook__urls": "http://x"}, ["publishers.hook", "urls"]),
        ({"publishers__hook__headers": {"Host": "x"}}, ["publishers.hook", "Host"]),
        ({"publishers__hook__signing_secrets": ["x"]}, ["publishers.hook", "whsec_"]),
        ({"publishers__tenants__url": "broker"}, ["publishers.tenants: url"]),
        ({"publishers__tenants__queue": "a b"}, ["publishers.tenants: queue"]),
        ({"publishers__tenants__access": {"keys": {"p": ""}}}, ["publishers.tenants: access.keys"]),
        ({"publishers__tenants__access": {"keys": {}, "keystone": {}}}, ["publishers.tenants: access", "not both"]),
        (
            {"publishers__tenants__access": {"keystone": {"project_name": "p"}}},
            ["publishers.tenants: access.keystone.project_name"],
        ),
        ({"publishers__bus__url": "amqp://broker/"}, ["publishers.bus: url", "exchange"]),
        ({"publishers__a b": {"kind": "log", "from": ["nova"]}}, ["publishers.a b", "letters"]),
        ({"publishers__eyes": "log"}, ["publishers.eyes", "table"]),
        ({"sources__nova__kind": "kafka"}, ["sources.nova: kind", "'kafka'", "queue, rabbitmq"]),
        ({"sources__nova__exchanges": None}, ["sources.nova", "exchanges"]),
        ({"sources__nova__window": 0}, ["sources.nova: window", ">= 1"]),
        ({"sources__nova__url": "http://broker"}, ["sources.nova: url"]),
        ({"sources__local__queues": {}}, ["sources.local: queues.hook"]),
        ({"sources__local__access": {"keys": {"p": "k"}}}, ["sources.local: access.keys"]),
        ({"tenant__paths": ["payload"]}, ["tenant", "'payload'"]),
        ({"tenant__path": []}, ["tenant", "path"]),
        ({"masks": [{"drop": ["/a"]}, {"replace": [{"path": "/a", "pattern": "("}]}]}, ["masks[1]", "'('"]),
        ({"masks": [{"drops": ["/a"]}]}, ["masks[0]", "drops"]),
        ({"dead_letters__url": "x"}, ["dead_letters.url"]),
        ({"dead_letters__access": {"keys": {}}}, ["dead_letters", "access.keys"]),
        ({"metrics_listen": "9100"}, ["metrics_listen"]),
        ({"attempts": 0}, ["attempts"]),
        ({"log_level": "loud"}, ["log_level", "'loud'"]),
        ({"sources__nova__url": "amqp://${NO_SUCH}@broker/"}, ["${NO_SUCH}", "no such variable"]),
    ],
    ids=str,
)
def test_a_mistake_is_told_with_its_field(changes: dict[str, Any], words: list[str]) -> None:
    said = refusal(changed(**changes))
    assert all(word in said for word in words), said
    assert "a-password" not in said


@pytest.mark.parametrize("text", ["", "[]", "a: [", "a", "sources: [1]", "sources: {a: 1}", "\x00"])
def test_what_is_no_file_of_the_forwarder_is_refused(text: str) -> None:
    assert refusal(text)


def test_check_lists_the_routes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "forward.yaml"
    file.write_text(GOOD)
    monkeypatch.setenv("RABBIT_PASSWORD", "x")
    assert main(["forward", "--config", str(file), "--check"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "nova.tenants"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["forward"], "--config"),
        (["forward", "--config", "/nowhere.yaml"], "The file /nowhere.yaml cannot be read"),
        (["forward", "--config", "FILE", "--chek"], "'--chek' is one argument too many"),
        (["forward", "--config", "FILE", "now"], "'now' is one argument too many"),
        (["forward", "--config", "FILE"], "FILE: sources: "),
    ],
)
def test_the_command_says_what_is_wrong_in_a_line(
    argv: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "forward.yaml"
    file.write_text("sources: {}\npublishers: {}")
    assert main([each.replace("FILE", str(file)) for each in argv]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words.replace("FILE", str(file)) in err


PLUG_IN: Final = """
from sukkal.errors import SettingsError
from sukkal.publisher import ACCEPTED


class Pigeons:
    batch_max = 1

    def __init__(self, options, context):
        if "loft" not in options:
            raise SettingsError("loft is missing.")

    def lane(self, notification):
        return ""

    async def publish(self, notifications):
        return [ACCEPTED] * len(notifications)

    async def close(self):
        pass
"""


def test_queues_may_have_dots_in_their_names() -> None:
    sections: dict[str, Any] = {
        "publishers__tenants": {"kind": "queue", "from": ["nova"], "url": "http://x", "queue": "a.b"}
    }
    sections["sources__local"] = {"kind": "queue", "url": "http://x", "project": "c", "queues": {"hook": "for.hook"}}
    sections["dead_letters"] = {"url": "http://x", "project": "c", "queue": "dead.letters"}
    assert "local.hook" in check(read(changed(**sections), ENVIRONMENT))


def test_other_packages_bring_publishers_and_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pigeon_code.py").write_text(PLUG_IN)
    info = tmp_path / "pigeons-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeons\nVersion: 1.2\n")
    points = "[sukkal.publishers]\npigeons = pigeon_code:Pigeons\nbroken = pigeon_code:Gone\n"
    (info / "entry_points.txt").write_text(points + "[sukkal.sources]\nrock = pigeon_code:Pigeons\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    pigeons = {"kind": "pigeons", "from": ["nova"]}
    assert "nova.birds" in check(read(changed(publishers__birds={**pigeons, "loft": 1}), ENVIRONMENT))
    assert refusal(changed(publishers__birds=pigeons)) == "publishers.birds: loft is missing."
    assert "of the package pigeons 1.2 cannot be loaded" in refusal(
        changed(publishers__birds={**pigeons, "kind": "broken"})
    )
    assert refusal(changed(sources__nova={"kind": "rock"})) == "sources.nova: loft is missing."

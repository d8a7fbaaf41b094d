"""Sinks of other distributions are found by their entry points, and broken ones are told by name."""

import sys
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal.app.sinks import installed_sinks
from sukkal.errors import SettingsError
from sukkal.settings import Settings
from tests.api.calling import Service, refused

GOOD: Final = """
from pathlib import Path

from sukkal.errors import InvalidRequest
from sukkal.sink import Outcome


class FileSink:
    schemes = ("append",)

    def __init__(self, context):
        assert context.timeout_s == 20
        assert context.guard.permits("127.0.0.1", "127.0.0.1") is False

    def check(self, subscriber, options):
        if not subscriber.startswith("append:/"):
            raise InvalidRequest("subscriber must be append:/PATH.")

    async def attempt(self, delivery):
        with Path(delivery.subscriber.partition(":")[2]).open("ab") as file:
            file.write(delivery.body)
        return Outcome(delivered=True)

    async def close(self):
        pass


class NoSink:
    schemes = ("append",)

    def __init__(self, context):
        pass


class Thief(FileSink):
    schemes = ("append", "http")


def broken(context):
    raise KeyError("a defect")
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, **points: str) -> None:
    """Put a distribution onto the path, as an installer would leave it."""
    module = f"{name}_code"
    (folder / f"{module}.py").write_text(GOOD)
    info = folder / f"{name}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    lines = [f"{scheme.replace('_', '+')} = {module}:{factory}" for scheme, factory in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[sukkal.sinks]", *lines, ""]))
    (info / "RECORD").write_text("")
    if str(folder) not in sys.path:
        monkeypatch.syspath_prepend(str(folder))


def refusal() -> str:
    with pytest.raises(SettingsError) as refused_:
        installed_sinks(Settings())
    return str(refused_.value)


def test_a_sink_of_another_distribution_delivers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "appending", append="FileSink")
    service = Service("memory://")
    path = "/v2/queues/q/subscriptions"
    refused(service.post(path, json={"subscriber": "append:x"}), 400, "append:/PATH")
    assert service.post(path, json={"subscriber": f"append:{tmp_path}/taken"}).status_code == 201
    service.post_bodies({"a": 1}, 2)
    service.deliver()
    assert (tmp_path / "taken").read_bytes() == b'{"a":1}2'
    service.close()


@pytest.mark.parametrize("scheme", ["http", "mailto", "queue", "amqps", "trust_https"])
def test_the_services_own_schemes_cannot_be_replaced(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "usurper", **{scheme: "FileSink"})
    said = refusal()
    assert "usurper 1.2" in said
    assert scheme.replace("_", "+") in said


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ({"append": "broken"}, "KeyError: 'a defect'"),
        ({"append": "missing"}, "AttributeError"),
        ({"append": "NoSink"}, "has no `check`"),
        ({"append": "Thief"}, "its `schemes` are"),
        ({"other": "FileSink"}, "its `schemes` are"),
        ({"Append": "FileSink"}, "lower case"),
    ],
)
def test_a_broken_sink_keeps_the_service_from_starting_and_is_named(
    points: dict[str, Any], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "faulty", **points)
    said = refusal()
    assert "of the package faulty 1.2" in said
    assert words in said


def test_two_distributions_cannot_have_the_same_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "early", append="FileSink")
    install(tmp_path, monkeypatch, "late", append="FileSink")
    assert "of the package late 1.2: another sink delivers to append" in refusal()

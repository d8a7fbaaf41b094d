"""``sukkal pool`` and ``sukkal flavor`` against a running service."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from sukkal.cli import main
from tests.serving import ServerProcess

HEADERS = {"client-id": "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52", "x-project-id": "p"}

Run = Callable[..., str]


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with ServerProcess("memory://") as server:
        yield server


@pytest.fixture
def run(server: ServerProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command, which has to succeed, and returns what it prints."""
    for name in ("SUKKAL_TOKEN", "OS_TOKEN", "OS_AUTH_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SUKKAL_URL", server.url)
    monkeypatch.setenv("SUKKAL_PROJECT", "admins")

    def run_command(*arguments: str) -> str:
        assert main(arguments) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run_command


def test_pools_and_flavors_are_made_listed_and_deleted(run: Run, tmp_path: Path) -> None:
    one, two = f"sqlite:///{tmp_path}/one", f"sqlite:///{tmp_path}/two"
    assert run("pool", "create", "one", one) == ""
    run("pool", "create", "two", two, "--weight", "0", "--flavor", "slow")
    assert run("pool", "list").splitlines() == [
        "NAME  WEIGHT  STATUS  FLAVOR  URI",
        f"one   100     up      -       {one}",
        f"two   0       up      slow    {two}",
    ]
    assert [each["name"] for each in json.loads(run("pool", "list", "--output", "json"))] == ["one", "two"]
    run("flavor", "create", "fast", "one")
    run("flavor", "update", "fast", "one", "two")
    assert run("flavor", "list").splitlines() == ["NAME  POOLS", "fast  one, two"]
    assert json.loads(run("flavor", "show", "fast", "--output", "json"))["pool_list"] == ["one", "two"]
    assert json.loads(run("flavor", "list", "--output", "json"))[0]["name"] == "fast"
    run("flavor", "delete", "fast")
    run("pool", "update", "two", "--weight", "7")
    assert json.loads(run("pool", "show", "two", "--output", "json")) == {
        "name": "two",
        "uri": two,
        "weight": 7,
        "flavor": "slow",
        "status": "up",
        "draining": False,
        "queues": 0,
        "options": {},
    }
    run("pool", "delete", "two")
    assert len(run("pool", "list").splitlines()) == 2


def test_a_pool_is_emptied_while_it_is_used(run: Run, server: ServerProcess, tmp_path: Path) -> None:
    run("pool", "create", "one", f"sqlite:///{tmp_path}/one")
    for number in range(5):
        document = {"messages": [{"body": number}]}
        httpx.post(f"{server.url}/v2/queues/q{number}/messages", json=document, headers=HEADERS, trust_env=False)
    run("pool", "create", "two", f"sqlite:///{tmp_path}/two")
    assert run("pool", "drain", "one") == "5\n"
    for _ in range(10_000):
        if json.loads(run("pool", "show", "one", "--output", "json"))["queues"] == 0:
            break
    assert json.loads(run("pool", "show", "two", "--output", "json"))["queues"] == 5
    run("pool", "delete", "one")
    for number in range(5):
        found = httpx.get(
            f"{server.url}/v2/queues/q{number}/messages?echo=true", headers=HEADERS, trust_env=False
        ).json()["messages"]
        assert [each["body"] for each in found] == [number]


def test_draining_can_be_stopped(run: Run, tmp_path: Path) -> None:
    run("pool", "create", "one", f"sqlite:///{tmp_path}/one")
    run("pool", "drain", "one")
    assert "up, draining" in run("pool", "list")
    run("pool", "drain", "one", "--stop")
    assert "up, draining" not in run("pool", "list")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["pool", "show", "none"], 3, "Pool none does not exist"),
        (["pool", "show", "a/b"], 2, "NAME"),
        (["pool", "create", "p", "mongodb://x"], 1, "`uri`"),
        (["pool", "update", "p"], 1, "One of `uri`"),
        (["pool", "sink", "p"], 2, "sink"),
        (["flavor", "create", "f", "none"], 1, "none"),
        (["flavor", "create", "f"], 2, "POOL"),
    ],
)
def test_what_cannot_be_is_refused(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    assert main(arguments) == code
    assert words in capsys.readouterr().err

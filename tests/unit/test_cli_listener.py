"""``sukkal listener`` against a running service."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sukkal.cli import main
from tests.answering import Answering, Said
from tests.serving import ServerProcess

HOOK = "https://example.org/hook"

Run = Callable[..., str]


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("memory://") as server:
        yield server


@pytest.fixture
def project(server: ServerProcess, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Return the project of the test, which the environment names."""
    for name in ("SUKKAL_TOKEN", "OS_TOKEN", "OS_AUTH_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SUKKAL_URL", server.url)
    monkeypatch.setenv("SUKKAL_PROJECT", request.node.name)
    return str(request.node.name)


@pytest.fixture
def run(project: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs the command, which has to succeed, and returns what it prints."""

    def run_command(*arguments: str) -> str:
        assert main(["listener", *arguments]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run_command


def shown(server: ServerProcess, project: str, id_: str) -> Any:
    headers = {"client-id": "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52", "x-project-id": project}
    return httpx.get(f"{server.url}/v2/listeners/{id_}", headers=headers, trust_env=False).json()


def test_add_makes_a_listener_and_prints_its_id(server: ServerProcess, project: str, run: Run) -> None:
    id_ = run("add", "task", "t2", HOOK, "--event", "on-error").strip()
    found = shown(server, project, id_)
    assert (found["id"], found["task"], found["events"], found["url"]) == (id_, "t2", ["on-error"], HOOK)
    assert (found["queue"], found["ttl"]) == ("mistral", 3_600)


def test_add_takes_all_that_a_listener_has(server: ServerProcess, project: str, run: Run) -> None:
    options = ["--event", "on-enter", "--event", "a.b", "--workbook", "book", "--heartbeat", "60", "--queue", "q"]
    options += ["--method", "PUT", "--header", "X-A: b:c", "--header", "X-B:d", "--ttl", "600"]
    found = shown(server, project, run("add", "workflow", "*", HOOK, *options).strip())
    for name in ("id", "age", "options", "format"):
        del found[name]
    assert found == {
        "workflow": "*",
        "events": ["on-enter", "a.b"],
        "workbook": "book",
        "heartbeat": {"within": 60},
        "url": HOOK,
        "queue": "q",
        "method": "PUT",
        "headers": {"X-A": "b:c", "X-B": "d"},
        "ttl": 600,
    }


def test_list_shows_what_each_waits_for_and_delete_ends_one(run: Run) -> None:
    first = run("add", "task", "t1", HOOK, "--workbook", "book").strip()
    second = run("add", "resource", "vm-1", HOOK, "--event", "on-error", "--heartbeat", "60").strip()
    lines = [line.split("  ") for line in run("list").splitlines()]
    assert [[cell.strip() for cell in line if cell] for line in lines] == [
        ["ID", "WAITS FOR", "URL"],
        [first, "task t1 of workbook book: everything", HOOK],
        [second, "resource vm-1: on-error, silence of 60 s", HOOK],
    ]
    assert run("delete", first) == ""
    assert [each["id"] for each in json.loads(run("list", "--output", "json"))] == [second]


def test_list_goes_on_to_the_end(run: Run) -> None:
    for number in range(25):
        run("add", "task", f"t{number}", HOOK)
    assert len(json.loads(run("list", "--output", "json"))) == 25


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["add", "task", "t", HOOK, "--event", "on-fire"], 1, "on-error"),
        (["add", "task", "t", "nowhere"], 1, "url"),
        (["add", "table", "t", HOOK], 2, "table"),
        (["add", "task", "t", HOOK, "--header", "secret"], 2, "NAME:VALUE"),
        (["add", "task", "t", HOOK, "more"], 2, "too many"),
        (["add", "task", "t", HOOK, "--color=red"], 2, "--color"),
        (["delete", "queue~q~1"], 3, "does not exist"),
        (["delete", "../queues/q"], 3, "404"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_cannot_be_done_is_one_line_and_a_code(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["listener", *arguments]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1
    assert "secret" not in said.err


def test_who_asks_has_to_be_said(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUKKAL_PROJECT")
    assert main(["listener", "list"]) == 2


def test_no_service_is_code_5(
    project: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUKKAL_URL", "http://127.0.0.1:1")
    assert main(["listener", "list"]) == 5
    assert "No answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    "said",
    [
        Said(302, b"", {"Location": "https://elsewhere.example/"}),
        Said(200, b"<html>"),
        Said(200),
        Said(200, b"{}"),
        Said(200, b'{"listeners": [{"id": "1"}], "links": []}'),
        Said(200, b'{"listeners": [1], "links": []}'),
        Said(200, b'{"listeners": [], "links": [{}]}'),
        Said(200, b'{"listeners": [], "links": [1]}'),
        Said(201, b'{"id": 1}'),
    ],
    ids=range(9),
)
@pytest.mark.parametrize("arguments", [["add", "task", "t", HOOK], ["list"], ["delete", "queue~q~1"]])
def test_an_answer_of_something_else_is_one_line_and_code_1(
    said: Said, arguments: list[str], project: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Answering(lambda asked: said) as other:
        monkeypatch.setenv("SUKKAL_URL", other.url)
        assert main(["listener", *arguments]) == 1
    said_here = capsys.readouterr()
    assert (said_here.out, said_here.err.count("\n")) == ("", 1)
    assert "is not" in said_here.err

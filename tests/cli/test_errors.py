"""How commands fail: one line on standard error, and an exit code that a script can use."""

import signal
import socket
from pathlib import Path

import pytest
from tests.cli.conftest import Commands
from tests.cli.running import Process, environment
from tests.serving import ServerProcess

from sukkal.cli import main
from sukkal.cli.codes import AWAY, BROKEN_PIPE, FAILED, NOT_PERMITTED, NOT_THERE, TERMINATED, USAGE


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["message", "get", "q", "nope"], NOT_THERE, "nope"),
        (["subscription", "show", "q", "nope"], NOT_THERE, "nope"),
        (["queue", "create", "a b"], FAILED, "letters, digits"),
        (["message", "post", "q", "x", "--ttl", "1"], FAILED, "TTL"),
        (["queue", "create", "q", "--set", "x"], USAGE, "NAME=VALUE"),
        (["message", "list", "q", "--limit", "0"], USAGE, "whole number"),
        (["message", "list", "q", "--filter", "{"], USAGE, "JSON"),
        (["queue", "list", "more"], USAGE, "too many"),
        (["queue", "list", "--color"], USAGE, "--color"),
        (["tail", "q", "--color"], USAGE, "sukkal tail --help"),
        (["queue", "fly"], USAGE, "fly"),
        (["post", "q", "/nowhere"], USAGE, "/nowhere"),
        (["redrive", "q", "--delivery", "1"], USAGE, "--subscription"),
        (["queue", "list", "--url", "nowhere"], USAGE, "http://"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_a_code(arguments: list[str], code: int, words: str, run: Commands) -> None:
    ran = run.ran(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("sukkal: ")
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_a_refusal_tells_how_the_request_is_found_in_the_log(run: Commands) -> None:
    err = run.ran("message", "get", "q", "nope").err
    assert err.rstrip().endswith("]")
    assert " (404) [req-" in err


@pytest.mark.parametrize("arguments", [["queue", "list"], ["tail", "q"], ["drain", "q"], ["top", "--once"]])
def test_a_service_that_is_away_has_a_code_of_its_own(arguments: list[str], run: Commands) -> None:
    with socket.socket() as taken:  # Bound, but nobody listens.
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        ran = run.ran(*arguments, "--url", f"http://127.0.0.1:{port}", "--timeout", "1")
    assert (ran.code, ran.out) == (AWAY, "")
    assert ran.err.count("\n") == 1
    assert f"http://127.0.0.1:{port}: Connection refused. Does the service run? Ask: sukkal doctor" in ran.err


def test_who_may_not_come_in_has_a_code_of_its_own(
    tmp_path: Path, clean: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys.json"
    assert main(["key", "create", "--keys-file", str(keys), "--project", "p"]) == 0
    with ServerProcess("memory://", "--auth", "keys", "--keys-file", str(keys)) as server:
        monkeypatch.setenv("SUKKAL_TOKEN", "sukkal_nobodys")
        assert main(["queue", "list", "--url", server.url]) == NOT_PERMITTED
    assert "sukkal_nobodys" not in capsys.readouterr().err


def test_without_anybody_to_be_it_asks_who(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queue", "list"]) == USAGE
    assert "Who are you?" in capsys.readouterr().err


def test_a_reader_that_goes_is_no_complaint(run: Commands, server: ServerProcess, project: str) -> None:
    for number in range(40):
        run("message", "post", "q", f"{number} {'x' * 5_000}")
    with Process(["drain", "q"], environment(server.url, project), errors=False) as process:
        process.until("0 x")
        process.stop_reading()
        assert process.wait() == BROKEN_PIPE
    stats = run.json("queue", "stats", "q")
    assert stats["claimed"] == 0
    assert stats["free"] > 0


def test_whoever_is_told_to_stop_gives_back_what_it_holds(run: Commands, server: ServerProcess, project: str) -> None:
    with Process(["drain", "q", "--follow"], environment(server.url, project)) as process:
        run("message", "post", "q", "one")
        process.until("one")
        process.send(signal.SIGTERM)
        assert process.wait() == TERMINATED
        assert "Traceback" not in process.rest()
    assert run.json("queue", "stats", "q") == {"free": 0, "claimed": 0, "delayed": 0, "total": 0}

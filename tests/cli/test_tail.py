"""``sukkal tail``: what is posted is shown, and nothing is missed without a word."""

import json
import signal
from pathlib import Path

import pytest
from tests.cli.conftest import Commands
from tests.cli.running import Process, Terminal, environment
from tests.serving import ServerProcess

from sukkal.cli import main
from sukkal.cli.codes import INTERRUPTED


def test_it_shows_what_is_posted_in_colour_on_a_terminal(run: Commands, server: ServerProcess, project: str) -> None:
    with Terminal(["tail", "q"], environment(server.url, project), columns=200) as terminal:
        terminal.until("Listening to q")
        run("message", "post", "q", '{"n": 1}')
        run("message", "post", "q", "bell\x07", "--text")
        terminal.until(r'\x1b\[2m\d+\.\d+\x1b\[0m \x1b\[32m\{"n": 1\}\x1b\[0m\r\n')
        terminal.until(r"bell\\x07\r\n")
        terminal.send(signal.SIGINT)
        terminal.until(r"Go on with: sukkal tail q --since \d+\.\d+")
        assert terminal.wait() == INTERRUPTED
    assert run.json("queue", "stats", "q")["free"] == 2


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_it_has_no_colours_where_they_are_not_wanted(
    more: dict[str, str], run: Commands, server: ServerProcess, project: str
) -> None:
    with Terminal(["tail", "q", "--limit", "1"], environment(server.url, project, **more)) as terminal:
        terminal.until("Listening to q")
        run("message", "post", "q", '{"n": 1}')
        assert terminal.wait() == 0
        assert "\x1b" not in terminal.rest()


def test_a_program_reads_a_line_of_json_for_each(run: Commands, server: ServerProcess, project: str) -> None:
    arguments = ["tail", "q", "--output", "json", "--limit", "2"]
    with Process(arguments, environment(server.url, project)) as process:
        process.until("Listening to q.\n")
        run("message", "post", "q", "1")
        run("message", "post", "q", '{"two": "ä"}')
        assert process.wait() == 0
        lines = process.rest().splitlines()
    first, second = (json.loads(line) for line in lines[:2])
    assert (first["body"], second["body"]) == (1, {"two": "ä"})
    assert lines[2:] == [f"Go on with: sukkal tail q --since {second['position']}"]


def test_it_begins_where_another_one_has_ended(run: Commands, server: ServerProcess, project: str) -> None:
    run("queue", "create", "q", "--set", "_history=3600")
    with Process(["tail", "q"], environment(server.url, project)) as process:
        process.until("Listening to q")
        run("message", "post", "q", "first")
        process.until("first")
        process.send(signal.SIGINT)
        since = process.until(r"--since (\S+)")[1]
        assert process.wait() == INTERRUPTED
    run("message", "post", "q", "second")
    run("message", "pop", "q", "--limit", "2")
    [line] = run("tail", "q", "--since", since, "--limit", "1", "--output", "json").splitlines()
    assert json.loads(line)["body"] == "second"


def test_it_goes_on_after_a_restart_and_misses_nothing(
    clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = f"sqlite:///{tmp_path / 'data'}"
    with ServerProcess(store) as first:
        port, url = first.port, first.url
        with Process(["tail", "q"], environment(url, "p")) as process:
            process.until("Listening to q")
            assert main(["message", "post", "q", "before", "--url", url, "--project", "p"]) == 0
            process.until("before")
            first.kill()
            with ServerProcess(store, "--listen", f"127.0.0.1:{port}"):
                assert main(["message", "post", "q", "after", "--url", url, "--project", "p"]) == 0
                process.until("after")
                process.send(signal.SIGINT)
                assert process.wait() == INTERRUPTED
                assert "missed" not in process.rest()


def test_a_gap_is_told_also_to_those_who_want_quiet(run: Commands, server: ServerProcess, project: str) -> None:
    run("message", "post", "q", "first")
    with Process(["tail", "q", "--limit", "1"], environment(server.url, project)) as process:
        process.until("Listening")
        run("message", "post", "q", "second")
        since = process.until(r"--since (\S+)")[1]
    run("message", "post", "q", "third")
    run("message", "pop", "q", "--limit", "3")
    arguments = ["tail", "q", "--since", since, "--limit", "1", "--quiet"]
    with Process(arguments, environment(server.url, project)) as process:
        process.until("Messages were missed here")
        run("message", "post", "q", "fourth")
        process.until("fourth")
        assert process.wait() == 0


def test_only_what_passes_the_filter_is_shown_in_the_format_asked_for(
    run: Commands, server: ServerProcess, project: str
) -> None:
    wanted = '{"prefix": {"type": "order."}}'
    arguments = ["tail", "q", "--filter", wanted, "--format", "cloudevents", "--limit", "1", "--output", "json"]
    with Process(arguments, environment(server.url, project)) as process:
        process.until("Listening to q.\n")
        for kind in ("stock.low", "order.paid"):
            run("event", "post", "q", "--type", kind, "--source", "//shop")
        assert process.wait() == 0
        assert json.loads(process.rest().splitlines()[0])["body"]["type"] == "order.paid"

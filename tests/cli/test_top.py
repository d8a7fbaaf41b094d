"""``sukkal top``: one look for scripts, and a live table in a terminal."""

import re

from tests.cli.conftest import Commands
from tests.cli.running import Terminal, environment
from tests.serving import ServerProcess


def test_one_look_is_printed_with_the_deepest_queue_first(run: Commands) -> None:
    run("queue", "create", "empty")
    for number in range(3):
        run("message", "post", "full", str(number))
    run("message", "post", "full", "later", "--delay", "60")
    run("claim", "create", "full")
    run("subscription", "create", "full", "queue:other")
    head, *lines = run("top", "--once").splitlines()
    assert head.split() == ["QUEUE", "FREE", "CLAIMED", "DELAYED", "OLDEST", "IN/S", "OUT/S", "SUBSCRIPTIONS"]
    assert re.fullmatch(r"full +2 +1 +1 +\d+s +- +- +1", lines[0])
    assert lines[1].split() == ["empty", "0", "0", "0", "-", "-", "-", "0"]


def test_a_script_reads_what_comes_and_goes(run: Commands, server: ServerProcess, project: str) -> None:
    run("queue", "create", "q")
    looked = run.json("top", "--once", "--measure", "--interval", "1", "--sort", "name", "--name", "q")
    [line] = looked
    assert line == {
        "queue": "q",
        "free": 0,
        "claimed": 0,
        "delayed": 0,
        "oldest_s": None,
        "in_per_s": 0.0,
        "out_per_s": 0.0,
        "subscriptions": 0,
    }


def test_the_table_is_live_fits_the_terminal_and_ends_with_q(
    run: Commands, server: ServerProcess, project: str
) -> None:
    run("message", "post", "q", "1")
    arguments = ["top", "--interval", "1"]
    with Terminal(arguments, environment(server.url, project), columns=100, rows=10) as terminal:
        before = terminal.settings()
        terminal.until(r"\x1b\[\?1049h")
        terminal.until(r"1 queues, 1 messages")
        terminal.until(r"q +1 +0 +0 +\d+s +- +- +0")
        assert terminal.settings() != before
        for number in range(5):
            run("message", "post", "q", str(number))
        terminal.until(r"q +6 +0 +0 +\d+s +[1-9][\d.]* +0.0 +0")
        run("message", "pop", "q", "--limit", "6")
        terminal.until(r"q +0 +0 +0 +- +0.0 +[1-9][\d.]* +0")
        terminal.resize(30, 2)
        terminal.until(r"\x1b\[H1 queues, 0 messages. q ends.\x1b\[K\r\n(\x1b\[1;7m)?QUEUE {2}FREE {2}CLAIMED {2}DELAY")
        terminal.type("q")
        terminal.until(r"\x1b\[\?1049l")
        assert terminal.wait() == 0
        assert terminal.settings() == before


def test_an_end_by_ctrl_c_leaves_the_terminal_as_it_was(server: ServerProcess, project: str) -> None:
    with Terminal(["top"], environment(server.url, project)) as terminal:
        before = terminal.settings()
        terminal.until("0 queues")
        terminal.type("\x03")
        terminal.until(r"\x1b\[\?1049l")
        terminal.wait()
        assert terminal.settings() == before
        assert "Traceback" not in terminal.rest()

"""``sukkal post``: many messages, in their order, and none of them twice."""

import json
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Commands
from tests.cli.running import Process, Terminal, environment, eventually
from tests.serving import ServerProcess

from sukkal.cli.codes import INTERRUPTED, USAGE
from sukkal.cli.posting.batches import Batches, Limits


def bodies(run: Commands, queue: str = "q") -> list[Any]:
    """Return what is in a queue."""
    return [each["body"] for each in run.json("message", "list", queue)]


def written(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("name", "form", "text", "posted"),
    [
        ("x.txt", "auto", 'one\n\n{"n": 2}\n3\r\nlast', ["one", {"n": 2}, 3, "last"]),
        ("x.txt", "text", "one\n\n3\n", ["one", "", "3"]),
        ("x.ndjson", "ndjson", '[1]\n"two"\n', [[1], "two"]),
        ("x.json", "auto", '[{"n": 1},\n {"n": 2}]', [{"n": 1}, {"n": 2}]),
        ("x.json", "auto", '{"n": 1}', [{"n": 1}]),
        ("x.txt", "json", "[]", []),
        ("x.txt", "auto", "", []),
    ],
)
def test_files_are_read_as_what_they_are(
    name: str, form: str, text: str, posted: list[Any], run: Commands, tmp_path: Path
) -> None:
    assert run("post", "q", written(tmp_path / name, text), "--format", form) == ""
    assert bodies(run) == posted


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [("ndjson", "1\n{\n", "Line 2 of"), ("json", "[1", "is no JSON"), ("auto", "\udcff", "Line 1 of")],
)
def test_what_cannot_be_read_is_told_with_its_place(
    form: str, text: str, words: str, run: Commands, tmp_path: Path
) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    ran = run.ran("post", "q", str(path), "--format", form)
    assert ran.code == USAGE
    assert words in ran.err


def test_several_files_are_posted_in_their_order_with_a_life(run: Commands, tmp_path: Path) -> None:
    first, second = written(tmp_path / "1", "a\nb\n"), written(tmp_path / "2", "c\n")
    assert run.json("post", "q", first, second, "--ttl", "60") == {"posted": 3, "repeated": 0}
    assert [(each["body"], each["ttl"]) for each in run.json("message", "list", "q")] == [
        ("a", 60),
        ("b", 60),
        ("c", 60),
    ]


def test_ten_thousand_messages_go_in_posts_as_large_as_the_queue_takes(run: Commands, tmp_path: Path) -> None:
    run("queue", "create", "q", "--set", "_max_messages_post_size=65536")
    path = written(tmp_path / "x", "".join(f'{{"n": {n}, "text": "{"x" * 50}"}}\n' for n in range(10_000)))
    assert run.json("post", "q", path) == {"posted": 10_000, "repeated": 0}
    assert run.json("queue", "stats", "q")["total"] == 10_000
    assert [each["body"]["n"] for each in run.json("message", "list", "q", "--limit", "30")] == list(range(30))


def test_a_run_with_the_same_key_doubles_nothing(run: Commands, tmp_path: Path) -> None:
    path = written(tmp_path / "x", "".join(f"{n}\n" for n in range(2_500)))
    assert run.json("post", "q", path, "--key", "k") == {"posted": 2_500, "repeated": 0}
    assert run.json("post", "q", path, "--key", "k") == {"posted": 2_500, "repeated": 2_500}
    assert run.json("post", "q", path) == {"posted": 2_500, "repeated": 0}
    assert run.json("queue", "stats", "q")["total"] == 5_000


def test_after_ctrl_c_it_says_what_to_run_and_that_doubles_nothing(
    run: Commands, server: ServerProcess, project: str, tmp_path: Path
) -> None:
    count = 300_000
    path = written(tmp_path / "x", "".join(f"{n} {'x' * 60}\n" for n in range(count)))
    with Terminal(["post", "q", path], environment(server.url, project)) as terminal:
        terminal.until(r"\[#")
        terminal.send(signal.SIGINT)
        words = terminal.until(r"Nothing is doubled by: sukkal (post .*)\r\n")[1]
        assert terminal.wait() == INTERRUPTED
    before = run.json("queue", "stats", "q")["total"]
    assert 0 < before < count
    told = run.json(*words.split())
    assert told["posted"] == count
    assert told["repeated"] in range(before - 1_000, before + 1)
    assert run.json("queue", "stats", "q")["total"] == count


def test_what_comes_through_a_pipe_is_posted_while_it_comes(run: Commands, server: ServerProcess, project: str) -> None:
    with Process(["post", "q"], environment(server.url, project)) as process:
        assert process.process.stdin is not None
        process.process.stdin.write(b"first\n")
        process.process.stdin.flush()
        eventually(lambda: bodies(run))
        process.process.stdin.write(b'{"second": 2}\n')
        process.process.stdin.close()
        assert process.wait() == 0
        assert process.rest() == "2 messages are posted.\n"
    assert bodies(run) == ["first", {"second": 2}]


def feed(process: Process, line: bytes) -> None:
    assert process.process.stdin is not None
    process.process.stdin.write(line)
    process.process.stdin.flush()


def holds(run: Commands, count: int) -> bool:
    return len(bodies(run)) == count


def test_ctrl_c_ends_it_while_it_waits_for_a_pipe(run: Commands, server: ServerProcess, project: str) -> None:
    with Process(["post", "q"], environment(server.url, project)) as process:
        for count in (1, 2):
            feed(process, b"line\n")
            eventually(partial(holds, run, count))
        process.send(signal.SIGINT)
        assert process.wait() == INTERRUPTED
        # That the second is there may not have been read yet.
        assert process.rest() in ("1 messages are posted.\n", "2 messages are posted.\n")


def test_a_bar_is_drawn_on_a_terminal_and_nowhere_else(
    run: Commands, server: ServerProcess, project: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "x", "".join(f"{n}\n" for n in range(3_000)))
    with Terminal(["post", "q", path], environment(server.url, project), columns=40) as terminal:
        terminal.until(r"\[#+\.*\] +\d+% [\d,]+ messages")
        terminal.until("3,000 messages are posted")
        assert terminal.wait() == 0
    assert run.ran("post", "q", path).err == "3,000 messages are posted.\n"


def test_no_post_is_larger_than_the_limits() -> None:
    def posts(given: Sequence[Any], limits: Limits) -> list[list[Any]]:
        batches = Batches(limits)
        return [full for full in [*(batches.add(each) for each in given), batches.rest()] if full]

    given = ["x" * size for size in (10, 400, 5, 900, 2_000, 1, 1)]
    made = posts(given, Limits(messages=2, bytes=1_000))
    assert [each for post in made for each in post] == given
    for post in made:
        assert len(post) <= 2
        size = len(json.dumps({"messages": [{"body": each, "ttl": 1_209_600, "delay": 900} for each in post]}))
        assert size <= 1_000 or len(post) == 1
    assert posts([1, 2, 3], Limits(messages=2, bytes=1_000)) == [[1, 2], [3]]

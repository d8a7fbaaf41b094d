"""``sukkal drain`` and ``sukkal redrive``."""

import json
import signal

from tests.answering import Answering, Said
from tests.cli.conftest import Commands
from tests.cli.running import Process, environment, eventually
from tests.serving import ServerProcess

from sukkal.cli.codes import INTERRUPTED


def posted(run: Commands, *bodies: str, queue: str = "q") -> None:
    for body in bodies:
        run("message", "post", queue, body)


def test_everything_is_written_and_gone(run: Commands) -> None:
    posted(run, *(str(n) for n in range(45)))
    ran = run.ran("drain", "q")
    assert ran == (0, "".join(f"{n}\n" for n in range(45)), "45 messages were taken.\n")
    assert run.json("queue", "stats", "q")["total"] == 0


def test_a_limit_leaves_the_others_unclaimed(run: Commands) -> None:
    posted(run, "a", '{"b": 1}', "c")
    lines = run("drain", "q", "--limit", "2", "--output", "json").splitlines()
    assert [json.loads(line)["body"] for line in lines] == ["a", {"b": 1}]
    assert run.json("queue", "stats", "q") == {"free": 1, "claimed": 0, "delayed": 0, "total": 1}


def test_it_follows_until_ctrl_c_and_leaves_nothing_claimed(run: Commands, server: ServerProcess, project: str) -> None:
    with Process(["drain", "q", "--follow"], environment(server.url, project)) as process:
        posted(run, "a")
        process.until("a\n")
        posted(run, "b")
        process.until("b\n")
        process.send(signal.SIGINT)
        assert process.wait() == INTERRUPTED
        assert process.rest() == "2 messages were taken.\n"
    posted(run, "c")
    assert run.json("queue", "stats", "q") == {"free": 1, "claimed": 0, "delayed": 0, "total": 1}


def buried(run: Commands, *bodies: str) -> None:
    """Have messages die in the queue ``jobs``."""
    run("queue", "create", "jobs", "--set", "_max_claim_count=1", "--set", "_dead_letter_queue=dead")
    posted(run, *bodies, queue="jobs")
    held = run.json("claim", "create", "jobs", "--limit", "20")
    run("claim", "end", "jobs", held[0]["claim_id"])
    # They are buried by the next sweep.
    eventually(lambda: run.json("queue", "stats", "dead")["total"] == len(bodies))


def test_dead_letters_go_back_to_where_they_came_from(run: Commands) -> None:
    buried(run, "a", '{"b": 1}')
    posted(run, "nobody's", queue="dead")
    ran = run.ran("redrive", "dead")
    assert (ran.code, ran.out) == (0, "2\n")
    assert "1 messages stay" in ran.err
    assert [each["body"] for each in run.json("message", "list", "jobs")] == ["a", {"b": 1}]
    assert [each["body"] for each in run.json("message", "list", "dead")] == ["nobody's"]
    assert run.json("queue", "stats", "dead")["claimed"] == 0


def test_letters_can_go_elsewhere_and_only_some_of_them(run: Commands) -> None:
    buried(run, "a", "b")
    assert run.json("redrive", "dead", "--to", "again", "--limit", "1") == {"redriven": 1}
    assert [each["body"] for each in run.json("message", "list", "again")] == ["a"]
    assert [each["body"] for each in run.json("message", "list", "dead")] == ["b"]


def test_deliveries_that_were_given_up_are_tried_again(run: Commands) -> None:
    answers = [Said(410), Said(204)]
    with Answering(lambda asked: answers.pop(0)) as subscriber:
        id_ = run("subscription", "create", "q", subscriber.url).strip()
        posted(run, "x")
        ledger = ("subscription", "deliveries", "q")
        [given_up] = eventually(lambda: [each for each in run.json(*ledger, id_) if each["state"] == "dead"])
        assert "The subscriber answered 410" in run(*ledger, id_)
        assert run("subscription", "create", "q", subscriber.url).strip() == id_  # Whoever was gone is asked again.
        assert run.json("redrive", "q", "--subscription", id_, "--delivery", given_up["id"]) == {"redriven": 1}
        eventually(lambda: len(subscriber.asked) == 2)

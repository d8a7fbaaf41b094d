"""Messages of a real Zaqar come to a service, once, in order, with what is left of their life."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.clients.bringing import Api, Import, counts
from tests.clients.zaqar import Zaqar
from tests.serving import ROOT, ServerProcess


def test_messages_come_in_their_order_however_many(source: Api, here: Api, bring: Import) -> None:
    for start in range(0, 105, 35):
        source.post("orders", *({"n": number} for number in range(start, start + 35)), ttl=600)
    report = bring.run()["orders"]
    assert counts(report, "messages", "present", "held", "expired", "unseen") == [105, 0, 0, 0, 0]
    assert here.bodies("orders") == [{"n": number} for number in range(105)]


@pytest.mark.parametrize("number", [0, 1, 2, 20, 21])
def test_a_queue_of_any_size_has_an_end(number: int, source: Api, here: Api, bring: Import) -> None:
    source("PUT", "/queues/small")
    if number:
        source.post("small", *range(number))
    assert bring.run()["small"]["messages"] == number
    assert here.bodies("small") == list(range(number))


def test_any_body_is_the_same_there(source: Api, here: Api, bring: Import) -> None:
    bodies: list[Any] = [None, True, 0, -1.5, "ü \u0000", [], {}, {"a": [{"b": None}]}, 2**62]
    source.post("bodies", *bodies)
    bring.run()
    assert here.bodies("bodies") == bodies


def test_a_repetition_doubles_nothing_whatever_was_consumed_meanwhile(
    source: Api, here: Api, bring: Import, tmp_path: Path
) -> None:
    source.post("again", *range(30))
    assert bring.run()["again"]["messages"] == 30
    here("DELETE", "/queues/again/messages?pop=10")
    assert counts(bring.run()["again"], "messages", "present") == [0, 30]
    (tmp_path / "sukkal-import.state").unlink()
    assert counts(bring.run()["again"], "messages", "present") == [0, 30]
    assert here.bodies("again") == list(range(10, 30))


def test_a_second_run_brings_what_came_meanwhile(source: Api, here: Api, bring: Import) -> None:
    source.post("growing", "a", "b")
    bring.run()
    source.post("growing", "c")
    assert counts(bring.run()["growing"], "messages", "present") == [1, 2]
    assert here.bodies("growing") == ["a", "b", "c"]


def test_what_is_left_of_a_life_comes_along_and_at_least_a_minute(source: Api, here: Api, bring: Import) -> None:
    source.post("lives", "long", ttl=1_209_600)
    source.post("lives", "short", ttl=60)
    _wait_until_a_second_old(source, "lives")
    bring.run()
    long, short = (message["ttl"] for message in here.messages("lives"))
    assert 1_209_500 < long < 1_209_600
    assert short == 60


def _wait_until_a_second_old(source: Api, queue: str) -> None:
    while min(message["age"] for message in source.messages(queue)) < 1:
        time.sleep(0.05)


def test_claimed_messages_stay_and_are_told_of_and_come_later(source: Api, here: Api, bring: Import) -> None:
    """More than a page of them stand in front, and some between."""
    source.post("claimed", *range(60))
    claims = [
        source.http.post("/queues/claimed/claims?limit=20", json={"ttl": 300, "grace": 60}).headers["location"]
        for _ in range(2)
    ]
    report = bring.run(code=1)["claimed"]
    assert counts(report, "messages", "held") == [20, 40]
    assert here.bodies("claimed") == list(range(40, 60))
    for claim in claims:
        source("DELETE", claim.removeprefix("/v2"))
    assert counts(bring.run()["claimed"], "messages", "held", "present") == [40, 0, 20]
    assert sorted(here.bodies("claimed")) == list(range(60))


def test_claimed_messages_in_the_middle_hide_nothing_behind_them(source: Api, here: Api, bring: Import) -> None:
    source.post("hidden", *range(70))
    first = source.http.post("/queues/hidden/claims?limit=20", json={"ttl": 300, "grace": 60}).headers["location"]
    for _ in range(2):
        source.http.post("/queues/hidden/claims?limit=20", json={"ttl": 300, "grace": 60})
    source("DELETE", first.removeprefix("/v2"))
    assert counts(bring.run(code=1)["hidden"], "messages", "held") == [30, 40]
    assert here.bodies("hidden") == [*range(20), *range(60, 70)]


def test_delayed_messages_stay_and_are_told_of(source: Api, here: Api, bring: Import) -> None:
    source("PUT", "/queues/delayed", {"_default_message_delay": 900})
    source.post("delayed", "later")
    source.post("delayed", "now", delay=0)
    report = bring.run(code=1)["delayed"]
    assert counts(report, "messages", "held") == [1, 1]
    assert here.bodies("delayed") == ["now"]


def test_a_message_that_is_too_large_stays_and_is_told_of(
    zaqar: Zaqar, source: Api, project: str, tmp_path: Path
) -> None:
    source.post("sizes", "small", "x" * 5_000, "small again")
    with ServerProcess("memory://", "--max-messages-post-size", "2000") as server:
        report = Import(zaqar.url, server.url, project, tmp_path).run(code=1)["sizes"]
        assert [problem["what"][:8] for problem in report["problems"]] == ["message "]
        assert "2000" in report["problems"][0]["reason"]
        with Api(server.url, project) as here:
            assert here.bodies("sizes") == ["small", "small again"]


def test_a_dry_run_counts_and_writes_nothing(source: Api, here: Api, bring: Import, tmp_path: Path) -> None:
    source("PUT", "/queues/dry", {"colour": "red"})
    source.post("dry", *range(3))
    source("POST", "/queues/dry/subscriptions", {"subscriber": "mailto:a@example.org"})
    assert counts(bring.run("--dry-run")["dry"], "messages", "subscriptions") == [3, 1]
    assert here("GET", "/queues") == {"queues": [], "links": []}
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_killed_is_gone_on_with(source: Api, here: Api, bring: Import) -> None:
    for start in range(0, 600, 50):
        source.post("long", *range(start, start + 50))
    with bring.start() as process:
        while len(here("GET", "/queues/long/messages?echo=true&limit=20")["messages"]) < 20:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
    report = bring.run()["long"]
    assert report["present"] >= 20
    assert report["messages"] + report["present"] == 600
    assert here.bodies("long") == list(range(600))


def test_a_service_that_refuses_ends_it_with_a_sentence(
    zaqar: Zaqar, source: Api, project: str, tmp_path: Path
) -> None:
    source.post("q", 1)
    with ServerProcess(
        "memory://", env={"SUKKAL_AUTH": "keys", "SUKKAL_KEYS_FILE": _keys_of_others(tmp_path)}
    ) as server:
        complaint = Import(zaqar.url, server.url, project, tmp_path).fail(1)
    assert "(401)" in complaint
    assert "goes on from there" in complaint


def _keys_of_others(folder: Path) -> str:
    command = [sys.executable, "-m", "sukkal.cli", "key", "create", "--project", "p", "--keys-file", "keys"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env=environment)
    return str(folder / "keys")


def test_one_token_cannot_be_of_several_projects(bring: Import) -> None:
    assert "ZAQAR_TOKEN" in bring.fail(2, "--project", "another", ZAQAR_TOKEN="x")


def test_the_state_of_another_import_is_refused(source: Api, bring: Import, tmp_path: Path) -> None:
    source.post("q", 1)
    (tmp_path / "other").write_text('{"from": "http://elsewhere", "to": "http://here"}\n')
    (tmp_path / "page").write_text("<html>\n")
    assert "other services" in bring.fail(2, "--state", "other")
    assert "not the state" in bring.fail(2, "--state", "page")

"""oslo.messaging's own functional tests, and processes that die, over a running service."""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.oslo.programs import PATIENCE_S, Lines, Program, interpreter
from tests.serving import ServerProcess

COUNT: Final = 500
"""As many casts and as many calls."""
TIMEOUT_S: Final = 5
SLACK_S: Final = 3.0

OF_RABBITMQ_ONLY: Final = {"CallTestCase.test_mandatory_call", "CallTestCase.test_monitor_long_call"}
LOGGER_PARTS: Final = 5
AT_ONCE: Final = 6


class Group(NamedTuple):
    """Some of the functional tests: of those with these names every so many."""

    names: Sequence[str]
    part: int = 0
    parts: int = 1


GROUPS: Final = (
    *(Group(["notify.test_logger"], part, LOGGER_PARTS) for part in range(LOGGER_PARTS)),
    Group(["test_functional.CallTestCase"]),
    Group(["test_functional.NotifyTestCase"]),
    Group(["test_functional.CastTestCase", "test_functional.MetricsTestCase"]),
)
"""They mostly wait, so they run side by side, each in a project of its own."""


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store"


@pytest.fixture
def server(store: str) -> Iterator[ServerProcess]:
    with ServerProcess(store) as server:
        yield server


def url_of(server: ServerProcess) -> str:
    return f"sukkal+{server.url}/tests"


def functional_tests(url: str, group: Group) -> dict[str, str]:
    """Run a group of oslo.messaging's functional tests and return how each went."""
    program = f"""
import sys, unittest
class Result(unittest.TestResult):
    def say(self, test, outcome):
        sys.__stdout__.write(f"OUTCOME {{test.id()}} {{outcome}}\\n")
    def addSuccess(self, test): self.say(test, "ok")
    def addSkip(self, test, reason): self.say(test, "skipped")
    def addError(self, test, error): self.say(test, "error"); super().addError(test, error)
    def addFailure(self, test, error): self.say(test, "failure"); super().addFailure(test, error)
result = Result()
names = ["oslo_messaging.tests.functional." + name for name in {group.names!r}]
def each(suite):
    for test in suite:
        yield from each(test) if isinstance(test, unittest.TestSuite) else [test]
tests = sorted(each(unittest.defaultTestLoader.loadTestsFromNames(names)), key=lambda test: test.id())
unittest.TestSuite(tests[{group.part}::{group.parts}]).run(result)
for _, trace in result.errors + result.failures:
    sys.__stderr__.write(trace)
"""
    environment = {
        **os.environ,
        "PATH": f"{interpreter().parent}:{os.environ['PATH']}",
        "RPC_TRANSPORT_URL": url,
        "NOTIFY_TRANSPORT_URL": url,
    }
    command = [str(interpreter()), "-W", "ignore", "-c", program]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    outcomes = re.findall(r"^OUTCOME oslo_messaging\.tests\.functional\.(\S+) (\w+)$", ran.stdout, re.MULTILINE)
    assert outcomes, ran.stderr
    return dict(outcomes)


def test_the_functional_tests_pass_but_those_that_are_for_rabbitmq_only(server: ServerProcess) -> None:
    urls = [f"{url_of(server)}{number}" for number in range(len(GROUPS))]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        outcomes = {
            name: outcome for found in threads.map(functional_tests, urls, GROUPS) for name, outcome in found.items()
        }
    assert len(outcomes) == 31
    skipped = {name.removeprefix("test_functional.") for name, outcome in outcomes.items() if outcome == "skipped"}
    assert skipped == OF_RABBITMQ_ONLY
    assert Counter(outcomes.values()) == {"ok": 29, "skipped": 2}, outcomes


class Checker:
    """Hears what the client sent and what the servers did, and judges it."""

    def __init__(self) -> None:
        self.lines = Lines()
        self.sent: set[int] = set()
        self.calls: dict[int, str] = {}
        self.done: Counter[str] = Counter()
        self.slowest_s = 0.0

    def hear_ready(self, servers: int) -> None:
        """Wait until so many servers are ready."""
        for _ in range(servers):
            assert self.lines.get(timeout=PATIENCE_S) == "ready"

    def hear(self, casts: int = COUNT) -> None:
        """Take in what is said until the client has made so many casts."""
        while len(self.sent) < casts:
            self._take(self.lines.get(timeout=PATIENCE_S).split())

    def hear_rest(self) -> None:
        """Take in what is said until everything that was sent is done."""
        while len(self.calls) < len(self.sent) or any(f"cast {number}" not in self.done for number in self.sent):
            self._take(self.lines.get(timeout=PATIENCE_S).split())

    def _take(self, words: list[str]) -> None:
        match words:
            case ["sent", number]:
                self.sent.add(int(number))
            case ["answered", number, outcome, seconds]:
                self.calls[int(number)] = outcome
                self.slowest_s = max(self.slowest_s, float(seconds))
            case ["cast" | "call", _]:
                self.done[" ".join(words)] += 1

    @property
    def repeated(self) -> int:
        return sum(count - 1 for count in self.done.values())


def run(url: str, checker: Checker, name: str) -> Program:
    return Program("server.py", url, name, lines=checker.lines)


def start_client(url: str, checker: Checker) -> Program:
    return Program("client.py", url, str(COUNT), str(TIMEOUT_S), lines=checker.lines)


def test_a_server_that_dies_loses_no_cast_and_no_call_hangs(server: ServerProcess) -> None:
    checker = Checker()
    with run(url_of(server), checker, "a") as first, run(url_of(server), checker, "b") as second:
        checker.hear_ready(2)
        with start_client(url_of(server), checker) as client:
            checker.hear(COUNT // 2)
            first.kill()
            checker.hear()
            checker.hear_rest()
            assert client.finish() == 0
        assert second.finish() == 0
    assert set(checker.calls.values()) <= {"right", "timeout"}
    assert checker.slowest_s < TIMEOUT_S + SLACK_S
    assert list(checker.calls.values()).count("timeout") <= 1, "only the call that died with its server"
    assert checker.repeated <= 64, "what the dead server had in its hands"


def test_a_client_that_dies_loses_nothing_that_it_had_sent(server: ServerProcess) -> None:
    checker = Checker()
    with run(url_of(server), checker, "a") as only:
        checker.hear_ready(1)
        with start_client(url_of(server), checker) as client:
            checker.hear(COUNT // 2)
            client.kill()
        checker.calls |= dict.fromkeys(checker.sent, "gone")
        checker.hear_rest()
        assert only.finish() == 0
    assert checker.repeated == 0


def test_a_service_that_dies_loses_no_cast_and_no_call_hangs(store: str) -> None:
    checker = Checker()
    with ServerProcess(store) as service:
        port = service.port
        url = url_of(service)
        with run(url, checker, "a") as first, run(url, checker, "b") as second:
            checker.hear_ready(2)
            with start_client(url, checker) as client:
                checker.hear(COUNT // 2)
                service.kill()
                with ServerProcess(store, "--listen", f"127.0.0.1:{port}"):
                    checker.hear()
                    checker.hear_rest()
                    assert client.finish() == 0
                    assert first.finish() == 0
                    assert second.finish() == 0
    assert set(checker.calls.values()) <= {"right", "timeout"}
    assert checker.slowest_s < TIMEOUT_S + SLACK_S
    assert checker.repeated <= 128


def test_the_next_host_goes_on_where_a_dead_one_was(store: str, tmp_path: Path) -> None:
    checker = Checker()
    with ServerProcess(f"sqlite:///{tmp_path}/another") as other:
        port = other.port
        other.stop()
    with ServerProcess(store) as service:
        url = f"sukkal+http://127.0.0.1:{service.port},127.0.0.1:{port}/tests"
        with run(url, checker, "a") as first, run(url, checker, "b") as second:
            checker.hear_ready(2)
            with start_client(url, checker) as client:
                checker.hear(COUNT // 2)
                service.kill()
                with ServerProcess(store, "--listen", f"127.0.0.1:{port}"):
                    checker.hear()
                    checker.hear_rest()
                    assert client.finish() == 0
                    assert first.finish() == 0
                    assert second.finish() == 0
    assert set(checker.calls.values()) <= {"right", "timeout"}
    assert checker.slowest_s < TIMEOUT_S + SLACK_S
    assert checker.repeated <= 128

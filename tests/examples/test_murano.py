"""The conversation of Murano's services: nothing is lost when some of them die, and idle queues go."""

import re
import shlex
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from examples.murano import shapes
from examples.murano.stage import WAYS, Stage
from tests.code_blocks import ADDRESS
from tests.oslo.programs import PATIENCE_S, interpreter
from tests.serving import ServerProcess

from sukkal.client import BlockingConnection, ProjectName

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "examples/murano/README.md"
CLIENT_ID: Final = "0e7b3a52-5a0c-4a53-8e8a-0d3b5c1f9d11"
HALTING: Final = ("-m", "tests.examples.halting")
IDLE_S: Final = 600
QUEUES_MAX: Final = 200
TASKS: Final = ("a0", "a1", "b0", "b1")
PLANS_OF_A_TASK: Final = 2 * len(shapes.STEPS)


def serving(folder: Path) -> ServerProcess:
    return ServerProcess(f"sqlite:///{folder}/store", "--max-queues-per-page", str(QUEUES_MAX))


class HaltingStage(Stage):
    """A stage on which some that are started halt when they have said something."""

    def __init__(self, *arguments: Any, halts: Mapping[str, str]) -> None:
        super().__init__(*arguments, python=str(interpreter()))
        self._halts = dict(halts)

    def command(self, role: str, name: str) -> list[str]:
        """Return what runs a role. Who has halted once does so no more."""
        command = super().command(role, name)
        if (last := self._halts.pop(name, None)) is None:
            return command
        [*python, _, module] = command
        return [*python, *HALTING, last, module]


class Ledger:
    """What all roles have said."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.said: list[Mapping[str, Any]] = []

    def hear(self) -> Mapping[str, Any]:
        """Note and return the next thing that is said."""
        self.said.append(self._stage.next())
        return self.said[-1]

    def hear_until(self, did: str, **more: Any) -> Mapping[str, Any]:
        """Note what is said until somebody did that."""
        while (heard := self.hear())["did"] != did or not more.items() <= heard.items():
            pass
        return heard

    def hear_rest(self) -> None:
        """Note what is said until every task is over, and the user knows of all its steps."""
        while self.of("got result", "task").keys() < set(TASKS) or self.of("ended task", "task").keys() < set(TASKS):
            self.hear()
        while any(self.reports()[task] < PLANS_OF_A_TASK for task in TASKS):
            self.hear()

    def of(self, did: str, member: str) -> Counter[str]:
        """Return with what, and how often, something was done."""
        return Counter(each[member] for each in self.said if each["did"] == did)

    def reports(self) -> Counter[str]:
        """Return of how many different steps of each task the user was told."""
        different = {(each["task"], each["document"]["id"], each["document"]["text"]) for each in self._reports()}
        return Counter(task for task, _, _ in different)

    def _reports(self) -> Iterator[Mapping[str, Any]]:
        return (each for each in self.said if each["did"] == "got report")

    def assert_complete(self) -> None:
        """Check that every task was processed, every plan answered, and every result matched by its source."""
        assert self.of("sent task", "task") == Counter(TASKS)
        results = [each["document"] for each in self.said if each["did"] == "got result"]
        assert {result["id"] for result in results} == set(TASKS)
        assert all(result["deployed"] and "token" not in result for result in results)
        assert self.of("gave up", "task") == {}
        sent, matched = self._plans("sent plan", "plan"), self._plans("matched result", "source")
        assert matched.keys() <= sent.keys() & self.of("answered plan", "plan").keys()
        # A result is of the plan that this task sent to this machine.
        assert all(
            (sent[plan]["task"], sent[plan]["host"]) == (each["task"], each["host"]) for plan, each in matched.items()
        )
        for task in TASKS:
            steps = Counter(
                (sent[plan]["step"], each["host"]) for plan, each in matched.items() if each["task"] == task
            )
            assert steps.keys() == {(step, host) for step in shapes.STEPS for host in ("web", "db")}
            assert self.reports()[task] == PLANS_OF_A_TASK

    def _plans(self, did: str, member: str) -> dict[str, Mapping[str, Any]]:
        found = [each for each in self.said if each["did"] == did]
        assert len({each[member] for each in found}) == len(found), f"{did}: twice of one plan"
        return {each[member]: each for each in found}


class Queues:
    """What the service has of the project's queues."""

    def __init__(self, url: str, project: str) -> None:
        self._connection = BlockingConnection(url, ProjectName(project), client_id=CLIENT_ID)

    def names(self, *, idle_s: int | None = None) -> set[str]:
        """Return the names of all queues, or of those that go when they are not used for so long."""
        query = {"limit": str(QUEUES_MAX), "detailed": "true"}
        found = self._connection.request("GET", "/v2/queues", query=query).document["queues"]
        return {each["name"] for each in found if idle_s in (None, each["metadata"].get("_expires_after"))}

    def shorten(self, names: set[str], idle_s: int) -> None:
        """Have queues go sooner."""
        changes = [{"op": "replace", "path": "/metadata/_expires_after", "value": idle_s}]
        headers = {"Content-Type": "application/openstack-messaging-v2.0-json-patch"}
        for name in names:
            self._connection.request("PATCH", f"/v2/queues/{name}", changes, headers=headers)

    def wait_until_gone(self, names: set[str]) -> None:
        """Return when none of these is there. The service wakes us each second."""
        for _ in range(PATIENCE_S):
            if not names & self.names():
                return
            self._connection.request("GET", "/v2/queues/nobodys/messages", query={"wait": "1"})
        pytest.fail(f"They are still there: {names & self.names()}")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Played(NamedTuple):
    """What was seen of a conversation. ``died`` is the task and the plan of those that died, which others took over.

    Of the queues that go, ``waited_at`` are those of agents when all others had gone, ``left`` those there at the end.
    """

    ledger: Ledger
    died: tuple[str, str]
    exits: Counter[int]
    going: set[str]
    waited_at: set[str]
    left: set[str]


def play(way: str, url: str, folder: Path) -> Played:
    """Have a conductor die when it has sent a plan, an agent when it has got one, and then nobody use the queues."""
    halts = {"one": "sent plan", "eb0-hweb": "got plan"}
    with closing(Queues(url, way)) as queues, HaltingStage(way, url, way, folder / way, halts=halts) as stage:
        ledger = Ledger(stage)
        dying = stage.conductor("one", idle_s=IDLE_S)
        stage.api("a", tasks=2)
        task = ledger.hear_until("sent plan")["task"]
        dying.kill()
        stage.conductor("two", idle_s=IDLE_S)
        stage.api("b", tasks=2)
        plan = ledger.hear_until("got plan", queue="eb0-hweb")["plan"]
        stage.agents["eb0-hweb"].kill()
        stage.agent("eb0-hweb")
        ledger.hear_rest()
        going = queues.names(idle_s=IDLE_S)
        queues.shorten(going, 1)
        queues.wait_until_gone({name for name in going if "-execution-results-" in name})
        waited_at = going & queues.names()
        exits = Counter(stage.end())
        queues.wait_until_gone(going)
        return Played(ledger, (task, plan), exits, going, waited_at, queues.names())


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Played]]:
    """Return what was seen in each way. They are played side by side, since most of it is waiting."""
    folder = tmp_path_factory.mktemp("played")
    with serving(folder) as server, ThreadPoolExecutor(len(WAYS)) as threads:
        found = threads.map(play, WAYS, [server.url] * len(WAYS), [folder] * len(WAYS))
        yield dict(zip(WAYS, found, strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_lost_when_a_conductor_and_an_agent_die(way: str, played: Mapping[str, Played]) -> None:
    ledger, (task, plan), exits, *_ = played[way]
    assert exits == {-signal.SIGKILL: 2, 0: 11}
    ledger.assert_complete()
    assert ledger.of("began task", "task")[task] == 2
    assert ledger.of("ended task", "task") == Counter(TASKS)
    assert ledger.of("got plan", "plan")[plan] == 2
    assert ledger.of("answered plan", "plan")[plan] == 1


@pytest.mark.parametrize("way", WAYS)
def test_queues_of_agents_go_when_nobody_uses_them(way: str, played: Mapping[str, Played]) -> None:
    seen = played[way]
    of_results = {name for name in seen.going if "-execution-results-" in name}
    assert (len(of_results), len(seen.going)) == (4, 12)
    assert seen.waited_at == seen.going - of_results, "agents wait there"
    assert not [name for name in seen.left if re.search("e[ab][01]-h", name)]


def test_the_commands_of_the_page_do_what_it_says(tmp_path: Path) -> None:
    def run(way: str, url: str) -> None:
        [line] = re.findall(rf"^\.venv/bin/python (-m examples\.murano {way} .*)$", PAGE.read_text(), re.MULTILINE)
        command = [str(interpreter()), "-W", "error", *shlex.split(line.replace(ADDRESS, url)), "--project", way]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.splitlines()[-1] == "4 tasks are done."

    with serving(tmp_path) as server, ThreadPoolExecutor(len(WAYS)) as threads:
        list(threads.map(run, WAYS, [server.url] * len(WAYS)))

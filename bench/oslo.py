"""oslo.messaging over Sukkal and over RabbitMQ, in turn.

One server and one client, each a process of its own. RabbitMQ runs with the in-tree driver, once as that is by default
(queues and messages are gone when the broker is) and once with durable queues that confirm.
"""

import json
import os
import statistics
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.clients import environments, rabbitmq

from bench.processes import Cores, Server, service_command
from bench.report import table
from bench.wire import BenchError

__all__ = ["OSLO", "Bus", "measure_oslo", "oslo_json", "oslo_table"]

OSLO: Final = "oslo"
_ENVIRONMENT: Final = "oslo_messaging"
_PROGRAM: Final = Path(__file__).with_name("oslo_program.py")
_MEASURE_S_MAX: Final = 300
_END_S_MAX: Final = 60


class Bus(NamedTuple):
    """What carried the messages, and what was measured in each round."""

    name: str
    rounds: list[dict[str, float]]


def measure_oslo(
    directory: Path, cores: Cores, *, rounds: int, casts: int, calls: int, tell: Callable[[str], None]
) -> list[Bus]:
    """Measure so many casts and calls over each bus in turn. Raises ``BenchError`` if a foreign program is missing."""
    if environments.missing(_ENVIRONMENT) or rabbitmq.program() is None:
        raise BenchError(f"{OSLO} needs oslo.messaging and RabbitMQ, which `make environments` gets.")
    broker = directory / "rabbitmq"
    broker.mkdir(parents=True)
    service = service_command(directory / "data")
    with (
        _both(cores),
        Server(service, core=cores.server, log=directory / "service.log") as sukkal,
        rabbitmq.RabbitMQ(broker) as rabbit,
    ):
        host, port = sukkal.address
        rabbit_url = f"rabbit://{rabbitmq.USER}:{rabbitmq.PASSWORD}@127.0.0.1:{rabbit.port}/"
        urls = {
            "Sukkal": f"sukkal+http://{host}:{port}/bench",
            "RabbitMQ, durable": f"{rabbit_url}a%2Fb?amqp_durable_queues=true",
            "RabbitMQ": rabbit_url,
        }
        buses = [Bus(name, []) for name in urls]
        for number in range(1, rounds + 1):
            for bus in buses:
                tell(f"round {number} of {rounds}: {OSLO}, {bus.name}")
                bus.rounds.append(_measured(urls[bus.name], casts, calls, directory / "server.log"))
    return buses


def oslo_table(buses: Sequence[Bus]) -> str:
    """Return the table of medians."""
    figures = buses[0].rounds[0]
    rows = [[what, *(f"{_median(bus, what):,.1f}" for bus in buses)] for what in figures]
    return table([["oslo.messaging", *(bus.name for bus in buses)], *rows])


def oslo_json(buses: Sequence[Bus]) -> dict[str, Any]:
    """Return everything that was measured."""
    return {OSLO: [bus._asdict() for bus in buses]}


def _median(bus: Bus, what: str) -> float:
    return statistics.median(found[what] for found in bus.rounds)


@contextmanager
def _both(cores: Cores) -> Iterator[None]:
    """Let what is started run on both cores: there are three processes, and all of them work."""
    os.sched_setaffinity(0, set(cores))
    try:
        yield
    finally:
        os.sched_setaffinity(0, {cores.load})


def _measured(url: str, casts: int, calls: int, log: Path) -> dict[str, float]:
    """Return what one client and one server measure over a transport. What the server complains of goes to the log."""
    command = [str(environments.python_of(_ENVIRONMENT)), "-W", "ignore", str(_PROGRAM)]
    with (
        log.open("ab") as stderr,
        subprocess.Popen(
            [*command, "serve", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
        ) as server,
    ):
        if server.stdout is None or server.stdin is None or server.stdout.readline() != b"ready\n":
            raise BenchError(f"the server over {_without_user(url)} did not start")
        measure = [*command, "measure", url, str(casts), str(calls)]
        ran = subprocess.run(measure, capture_output=True, text=True, check=False, timeout=_MEASURE_S_MAX)
        server.stdin.close()
        server.wait(_END_S_MAX)
    if ran.returncode:
        raise BenchError(f"the client over {_without_user(url)} failed:\n{ran.stderr}")
    found: Mapping[str, float] = json.loads(ran.stdout)
    return dict(found)


def _without_user(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"

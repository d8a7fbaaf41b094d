"""What the server costs: the service's own one beside uvicorn and beside the least that a protocol can do."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.growth import Comparison
from bench.processes import Cores, Server, noop_command, service_command
from bench.rounds import Case, Result, Target
from bench.workloads import Claiming, NoOp, Posting, Workload

__all__ = ["FRONT", "measure_front"]

FRONT: Final = "front"
BARE_WANTED: Final = 1 / 0.8
"""At least 80 % of the protocol's requests per second."""
UVICORN_WANTED: Final = 1 / 1.8
"""At least 1.8 times uvicorn's."""

_CONNECTIONS: Final = (16, 64)
_SERVICE_WANTED: Final = 1.0


def measure_front(
    directory: Path, cores: Cores, *, depth: int, measure: Callable[[Sequence[Case]], list[Result]]
) -> list[Comparison]:
    """Measure a handler that does nothing behind each, and posts and claims on a service with each."""
    directory.mkdir()
    commands = {
        "protocol": noop_command("bare", "protocol"),
        "protocol with tasks": noop_command("bare", "protocol", "tasks"),
        "own": noop_command("bare"),
        "uvicorn": noop_command("bare", "uvicorn"),
        "own service": service_command(directory / "own-data", "--http-server", "own"),
        "uvicorn service": service_command(directory / "uvicorn-data", "--http-server", "uvicorn"),
    }
    with ExitStack() as stack:
        targets = {}
        for name, command in commands.items():
            log = directory / f"{name.replace(' ', '-')}.log"
            targets[name] = Target.of(stack.enter_context(Server(command, core=cores.server, log=log)))
        return _compared(targets, depth, measure)


def _compared(
    targets: dict[str, Target], depth: int, measure: Callable[[Sequence[Case]], list[Result]]
) -> list[Comparison]:
    pairs: list[tuple[str, Case, Case, float]] = []

    def compare(
        name: str, connections: int, own: str, other: str, workload: Callable[[], Workload], most: float
    ) -> None:
        label = f"{name}, {connections} connections: {own} against {other}"
        theirs, ours = [Case(name, connections, targets[each], workload()) for each in (other, own)]
        pairs.append((label, theirs, ours, most))

    for connections in _CONNECTIONS:
        compare("no-op", connections, "own", "protocol", NoOp, BARE_WANTED)
        compare("no-op", connections, "own", "protocol with tasks", NoOp, BARE_WANTED)
        compare("no-op", connections, "own", "uvicorn", NoOp, UVICORN_WANTED)
        post = _posting(connections)
        compare("post1", connections, "own service", "uvicorn service", post, _SERVICE_WANTED)
    compare("claim10+delete10", 16, "own service", "uvicorn service", lambda: Claiming("claim", depth), _SERVICE_WANTED)
    results = iter(measure([case for _, theirs, ours, _ in pairs for case in (theirs, ours)]))
    return [Comparison(label, next(results), next(results), most) for label, _, _, most in pairs]


def _posting(connections: int) -> Callable[[], Workload]:
    return lambda: Posting(f"post1-{connections}", 1)

"""Measures cases in turn, several times over, so that a slow moment of the machine falls on all of them."""

import os
import time
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple, Protocol, runtime_checkable

from bench.load import Address, Measured, measure
from bench.processes import Cores, Server
from bench.wire import BenchError
from bench.workloads import Workload, delete_queues

__all__ = [
    "BEARABLE_SHARE",
    "Case",
    "Measuring",
    "Neighbours",
    "Plan",
    "Ratio",
    "Result",
    "Spread",
    "Target",
    "ratio",
    "run",
]

WARM_S: Final = 0.3
BEARABLE_SHARE: Final = 0.08
"""How much of the two cores other programs may take before a measurement counts as disturbed."""

SWEEPING_BEGINS_S: Final = 1.5
"""A little more than the service's default pause between two sweeps."""


class Target(NamedTuple):
    """A server to be measured; ``process`` is ``None`` if it is not ours."""

    address: Address
    process: Server | None

    @classmethod
    def of(cls, server: Server) -> "Target":
        """Return one of our servers as a target."""
        return cls(server.address, server)

    def settle(self) -> None:
        """Wait until the server has finished what a measurement left behind."""
        if self.process is not None:
            self.process.wait_until_quiet()


@runtime_checkable
class Measuring(Protocol):
    """A case that has no scripts because it measures itself. All else is as with a ``Workload``."""

    @property
    def queues(self) -> Sequence[str]:
        """The queues that the case uses, which are no other case's."""

    def prepare(self, address: Address) -> None:
        """Put in place what the measurements need."""

    def tidy(self, address: Address) -> None:
        """Undo what a measurement has done, as far as it could slow another one."""

    def measure(
        self, address: Address, connections: int, *, seconds: float, warm_s: float, server: int | None
    ) -> Measured:
        """Measure for some time after a warm-up. ``server`` is the process whose CPU time is read."""


class Case(NamedTuple):
    """Something to be measured. ``messages`` is how many messages one request stands for, 0 if that says nothing."""

    name: str
    connections: int
    target: Target
    workload: Workload | Measuring
    messages: float = 0
    wanted: float | None = None


class Spread(NamedTuple):
    """The median of the rounds and their ends."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of some values."""
        return cls(median(values), min(values), max(values))


class Result(NamedTuple):
    """A case, what was measured in each round, and which share of the cores other programs took meanwhile."""

    case: Case
    rounds: list[Measured]
    others: list[float]

    def middle(self, figure: Callable[[Measured], float]) -> float:
        """Return the median over the rounds of a figure."""
        return median(map(figure, self.rounds))

    @property
    def rate(self) -> Spread:
        """Requests per second."""
        return Spread.of([measured.rate for measured in self.rounds])


class Ratio(NamedTuple):
    """The ratio of two rates. It is not ``reliable`` when other programs disturbed half of the rounds or more."""

    median: float
    low: float
    high: float
    reliable: bool


def ratio(result: Result, reference: Result) -> Ratio:
    """Return the ratio of two rates, taken round by round; a reliable one leaves out the disturbed rounds."""
    pairs = zip(result.rounds, reference.rounds, strict=True)
    ratios = [mine.rate / other.rate for mine, other in pairs]
    shares = map(max, result.others, reference.others)
    undisturbed = [value for value, share in zip(ratios, shares, strict=True) if share <= BEARABLE_SHARE]
    reliable = 2 * len(undisturbed) > len(ratios)
    return Ratio(*Spread.of(undisturbed if reliable else ratios), reliable)


class Neighbours:
    """Watches how much of the two cores other programs take while something is measured."""

    def __init__(self, cores: Cores) -> None:
        self._cores = {f"cpu{core}" for core in cores}
        self._began_s = 0.0

    def begin(self) -> None:
        """Begin a measurement, its warm-up included."""
        self._began_s = self.busy_s() - time.process_time()

    def end(self, measured: Measured) -> float:
        """End it and return the share of the cores, from 0 to 1, that was neither the server's nor ours."""
        # The server's own time is known for the timed part only, and the warm-up is like it.
        whole_s = measured.seconds + WARM_S
        server_s = measured.server_cpu_s * whole_s / measured.seconds
        others_s = self.busy_s() - time.process_time() - self._began_s - server_s
        return max(others_s / whole_s / len(self._cores), 0.0)

    def busy_s(self) -> float:
        """Return for how long the two cores have worked so far, whoever for."""
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
        fields = [line.split() for line in lines]
        ticks = sum(sum(map(int, line[1:4])) for line in fields if line and line[0] in self._cores)
        return ticks / os.sysconf("SC_CLK_TCK")


class Plan(NamedTuple):
    """How to measure: ``attempts`` is how often a measurement is begun anew when other programs disturb it."""

    rounds: int
    seconds: float
    attempts: int
    neighbours: Neighbours
    tell: Callable[[str], None]


def run(cases: Sequence[Case], plan: Plan) -> list[Result]:
    """Prepare all cases, measure each once per round, and return the results in the order of the cases."""
    for case in cases:
        plan.tell(f"preparing {case.name} at {case.connections}")
        case.workload.prepare(case.target.address)
    _settle(cases)
    results = [Result(case, [], []) for case in cases]
    for number in range(1, plan.rounds + 1):
        for case, measurements, others in results:
            plan.tell(f"round {number} of {plan.rounds}: {case.name} at {case.connections}")
            measured, share = _least_disturbed(case, plan)
            measurements.append(measured)
            others.append(share)
        if number < plan.rounds:
            plan.tell(f"round {number} of {plan.rounds}: tidying up")
            for case in cases:
                case.workload.tidy(case.target.address)
            _settle(cases)
    for case in cases:
        if case.target.process is None:
            delete_queues(case.target.address, case.workload.queues)
    return results


def _least_disturbed(case: Case, plan: Plan) -> tuple[Measured, float]:
    """Return the first measurement that was left in peace, or else the best of all attempts."""
    found: list[tuple[float, Measured]] = []
    for attempt in range(plan.attempts):
        if attempt:
            case.workload.tidy(case.target.address)
            case.target.settle()
        plan.neighbours.begin()
        measured = _measure(case, plan.seconds)
        found.append((plan.neighbours.end(measured), measured))
        case.target.settle()
        if found[-1][0] <= BEARABLE_SHARE or case.target.process is None:
            break
    share, measured = min(found, key=itemgetter(0))
    return measured, share


def _measure(case: Case, seconds: float) -> Measured:
    address, workload = case.target.address, case.workload
    server = case.target.process.pid if case.target.process else None
    try:
        if isinstance(workload, Measuring):
            return workload.measure(address, case.connections, seconds=seconds, warm_s=WARM_S, server=server)
        scripts = [workload.script(number) for number in range(case.connections)]
        return measure(address, scripts, seconds=seconds, warm_s=WARM_S, server=server)
    except (BenchError, OSError) as error:
        raise BenchError(f"{case.name} at {case.connections} connections: {error}") from error


def _settle(cases: Sequence[Case]) -> None:
    time.sleep(SWEEPING_BEGINS_S)
    for target in {case.target.address: case.target for case in cases}.values():
        target.settle()

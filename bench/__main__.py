"""``python -m bench``: measure, and print what was found."""

import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

from bench.access import ACCESS, measure_access
from bench.arguments import Options, parse
from bench.cases import NAMES, foreign_cases, generator_cases, main_cases
from bench.events import EVENTS, measure_events
from bench.fanout import FANOUT, measure_fanout
from bench.front import FRONT, measure_front
from bench.growth import GROWTH, Comparison, Sizes, measure_growth
from bench.idle import IDLE, measure_idle
from bench.load import Address
from bench.oslo import OSLO, Bus, measure_oslo, oslo_json, oslo_table
from bench.processes import Server, noop_command, pick_cores, service_command, trivial_command
from bench.push_report import Idle, Push, idle_table, push_json, push_table
from bench.report import Machine, as_json, disturbance_note, generator_table, growth_table, main_table
from bench.rounds import Case, Neighbours, Plan, Result, Target, run
from bench.syncs import SYNCS, measure_syncs
from bench.webhook import WEBHOOK, measure_webhook
from bench.wire import BenchError

__all__ = ["main"]

_SIZES: Final = Sizes(queues=100_000, dead=1_000_000)
_QUICK_SIZES: Final = Sizes(queues=10_000, dead=100_000)
_OSLO: Final = (1_000, 300)
_QUICK_OSLO: Final = (400, 160)
_TERMINATED: Final = 143


class Bench:
    """One run of the bench: what was asked for, and where it takes place."""

    def __init__(self, options: Options, directory: Path) -> None:
        self._options = options
        self._directory = directory
        self._machine = Machine(directory)
        self._cores = pick_cores()
        self._plan = Plan(
            rounds=options.rounds,
            seconds=options.seconds,
            attempts=options.attempts,
            neighbours=Neighbours(self._cores),
            tell=_tell,
        )

    def run(self) -> None:
        """Measure what was asked for, and print it as it comes."""
        print(self._machine.text(), flush=True)
        results: list[Result] = []
        comparisons: list[Comparison] = []
        pushes: list[Push] = []
        idles: list[Idle] = []
        buses: list[Bus] = []
        if self._options.generator:
            results = self._generator()
            self._show(generator_table(results))
        elif self._options.against:
            results = self._foreign(self._options.against)
            self._show(main_table(results))
        else:
            if self._options.wants(*NAMES):
                results = self._main_part()
                self._show(main_table(results))
            if self._options.wants(FRONT):
                front = measure_front(
                    self._directory / FRONT, self._cores, depth=self._options.depth, measure=self._run
                )
                self._show(growth_table(front))
                comparisons += front
            if self._options.wants(SYNCS):
                syncs = measure_syncs(self._directory / SYNCS, self._cores, measure=self._run)
                self._show(growth_table(syncs))
                comparisons += syncs
            if self._options.wants(ACCESS):
                access = measure_access(self._directory / ACCESS, self._cores, measure=self._run)
                self._show(growth_table(access))
                comparisons += access
            if self._options.wants(EVENTS):
                events = measure_events(self._directory / EVENTS, self._cores, measure=self._run)
                self._show(growth_table(events))
                comparisons += events
            if self._options.wants(GROWTH):
                growth = self._growth_part()
                self._show(growth_table(growth))
                comparisons += growth
            pushes, idles = self._push_part()
            buses = self._oslo_part()
        paired = [each for pair in comparisons for each in (pair.small, pair.large)]
        pushed = [each for push in pushes for each in (push.bare, push.own)]
        if note := disturbance_note([*results, *paired, *pushed]):
            self._show(note)
        if self._options.json:
            found = as_json(self._machine, self._parameters(), results, comparisons)
            found |= push_json(pushes, idles) | oslo_json(buses)
            self._options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

    def _main_part(self) -> list[Result]:
        depth, only = self._options.depth, self._options.only
        with (
            self._server("noop", noop_command()) as noop,
            self._server("bare", noop_command("bare")) as bare,
            self._server("service", service_command(self._directory / "data")) as service,
        ):
            targets = [Target.of(server) for server in (noop, bare, service)]
            return self._run(main_cases(*targets, depth=depth, only=only))

    def _growth_part(self) -> list[Comparison]:
        return measure_growth(
            self._directory / GROWTH,
            self._cores,
            _QUICK_SIZES if self._options.quick else _SIZES,
            depth=self._options.depth,
            measure=self._run,
            tell=_tell,
        )

    def _push_part(self) -> tuple[list[Push], list[Idle]]:
        pushes: list[Push] = []
        idles: list[Idle] = []
        for name, measure in ((FANOUT, measure_fanout), (WEBHOOK, measure_webhook)):
            if self._options.wants(name):
                pushes += measure(self._directory / name, self._cores, measure=self._run)
        if pushes:
            self._show(push_table(pushes))
        if self._options.wants(IDLE):
            idles = measure_idle(self._directory / IDLE, self._cores, rounds=self._options.rounds, tell=_tell)
            self._show(idle_table(idles))
        return pushes, idles

    def _oslo_part(self) -> list[Bus]:
        if not self._options.wants(OSLO):
            return []
        casts, calls = _QUICK_OSLO if self._options.quick else _OSLO
        rounds, directory = self._options.rounds, self._directory / OSLO
        buses = measure_oslo(directory, self._cores, rounds=rounds, casts=casts, calls=calls, tell=_tell)
        self._show(oslo_table(buses))
        return buses

    def _generator(self) -> list[Result]:
        with self._server("trivial", trivial_command()) as trivial:
            return self._run(generator_cases(Target.of(trivial)))

    def _foreign(self, url: str) -> list[Result]:
        target = Target(_address(url), None)
        return self._run(foreign_cases(target, depth=self._options.depth, only=self._options.only))

    def _run(self, cases: Sequence[Case]) -> list[Result]:
        return run(cases, self._plan)

    def _server(self, name: str, command: Sequence[str]) -> Server:
        return Server(command, core=self._cores.server, log=self._directory / f"{name}.log")

    def _parameters(self) -> dict[str, object]:
        names = ("rounds", "seconds", "attempts", "depth", "only", "quick", "against", "generator")
        return {name: getattr(self._options, name) for name in names}

    @staticmethod
    def _show(text: str) -> None:
        _tell("")
        print(f"\n{text}", flush=True)


def main() -> int:
    """Measure, print the tables and return the exit code: 0 when everything could be measured, whatever it was."""
    options = parse()
    signal.signal(signal.SIGTERM, _stop)
    try:
        with tempfile.TemporaryDirectory(prefix="sukkal-bench-", dir=options.directory) as directory:
            Bench(options, Path(directory)).run()
    except (BenchError, OSError) as error:
        _tell("")
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _stop(number: int, frame: object) -> NoReturn:
    sys.exit(_TERMINATED)


def _tell(progress: str) -> None:
    """Show what is going on, in one line that is overwritten, to somebody who is looking."""
    if sys.stderr.isatty():
        print(f"\r\033[K{progress}", end="", file=sys.stderr, flush=True)


def _address(url: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None or parts.path.strip("/"):
        raise BenchError(f"{url} is not like http://HOST:PORT")
    return parts.hostname, parts.port or 80


if __name__ == "__main__":
    sys.exit(main())

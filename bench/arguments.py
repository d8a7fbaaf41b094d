"""What may be given on the command line of the bench."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.access import ACCESS
from bench.cases import FOREIGN, NAMES
from bench.events import EVENTS
from bench.fanout import FANOUT
from bench.front import FRONT
from bench.growth import GROWTH
from bench.idle import IDLE
from bench.oslo import OSLO
from bench.syncs import SYNCS
from bench.webhook import WEBHOOK

__all__ = ["Options", "parse"]

_ALL: Final = (*NAMES, FRONT, SYNCS, ACCESS, EVENTS, GROWTH, FANOUT, WEBHOOK, IDLE, OSLO)
_DEPTH_PER_S: Final = 50_000
_FOREIGN_DEPTH_PER_S: Final = 5_000


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command line, with defaults filled in."""

    rounds: int
    seconds: float
    attempts: int
    depth: int
    only: Sequence[str]
    quick: bool
    generator: bool
    against: str | None
    directory: Path
    json: Path | None

    def wants(self, *names: str) -> bool:
        """Tell whether any of these cases is to be measured."""
        return not self.only or not set(self.only).isdisjoint(names)


def parse() -> Options:
    """Read the command line."""
    parser = _parser()
    given = parser.parse_args()
    if given.rounds is None:
        given.rounds = 3 if given.quick else 5
    if given.seconds is None:
        given.seconds = 0.7 if given.quick else 2.0
    if given.depth is None:
        given.depth = int((given.seconds + 1) * (_FOREIGN_DEPTH_PER_S if given.against else _DEPTH_PER_S))
    options = Options(**vars(given))
    if options.seconds <= 0 or min(options.rounds, options.attempts, options.depth) < 1:
        parser.error("--rounds, --seconds, --attempts and --depth must be greater than 0")
    if options.against and not options.wants(*FOREIGN):
        parser.error(f"against a foreign server there are only: {', '.join(FOREIGN)}")
    return options


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(_ALL)
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure the service against a no-op handler of the same server and bare programs.",
    )
    add = parser.add_argument
    add("--rounds", type=int, metavar="N", help="how often each case is measured (default 5, quick 3)")
    add("--seconds", type=float, metavar="S", help="how long each time (default 2, quick 0.7)")
    add("--attempts", type=int, default=3, metavar="N", help="tries while other programs disturb (default 3)")
    add("--quick", action="store_true", help="fewer and shorter rounds, growth states a tenth as large")
    add(
        "--only",
        action="append",
        default=[],
        choices=_ALL,
        metavar="CASE",
        help=f"may be repeated: {names}",
    )
    add("--depth", type=int, metavar="N", help="how many messages wait where messages are claimed")
    add("--json", type=Path, metavar="FILE", help="also write all figures to a file")
    # Not below /tmp, which is memory on many machines: durability would cost nothing there.
    add("--directory", type=Path, default=Path("/var/tmp"), metavar="DIR", help="a place on a disk (default /var/tmp)")
    add("--against", metavar="URL", help="measure a Zaqar-compatible server that is running")
    add("--generator", action="store_true", help="measure what the load generator can do itself")
    return parser

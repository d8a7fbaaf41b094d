"""What a post costs the node with each engine: ``python -m bench.stores``.

So many callers post one message each, again and again. The engines take turns, so that what disturbs the machine
disturbs both, and the CPU time of this process is counted, which is the node's: not that of PostgreSQL's processes, and
not the waiting for the disk.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from time import perf_counter, process_time
from typing import Final, NamedTuple

import uvloop
from tests.engines.postgresql_server import PostgreSQL

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.model import Ack as _Ack
from sukkal.model import NewClaim, NewMessage, Post, QueueKey, Settlement
from sukkal.store import Engine

__all__: list[str] = []

_NOW_MS: Final = 1_700_000_000_000
_BODY: Final = b'{"event": "' + b"x" * 180 + b'"}'
_WANTED_US: Final = 10.0


class Round(NamedTuple):
    """What one call cost: CPU time of the node, and time on the clock, in microseconds."""

    cpu_us: float
    wall_us: float


class Subject:
    """An engine, and names that nobody has used."""

    def __init__(self, engine: Engine, queues: int) -> None:
        self._engine = engine
        self._keys = [QueueKey("bench", f"queue-{number}") for number in range(queues)]
        self._numbers = count()

    async def post(self, caller: int, times: int) -> None:
        """Post one message after the other."""
        key = self._keys[caller % len(self._keys)]
        for _ in range(times):
            message = NewMessage(id=f"message-{next(self._numbers):012}", body=_BODY, ttl_s=3_600, client="c")
            await self._engine.publish((Post(key, (message,)),), now_ms=_NOW_MS)

    async def work(self, caller: int, times: int) -> None:
        """Claim ten messages and acknowledge them, one time after the other."""
        key = self._keys[caller % len(self._keys)]
        for _ in range(times):
            claim = NewClaim(id=f"claim-{next(self._numbers):012}", ttl_s=300, grace_s=60)
            taken = await self._engine.claim(key, claim, limit=10, now_ms=_NOW_MS)
            acks: dict[str, Settlement] = {each.id: _Ack() for each in taken}
            await self._engine.settle(key, claim.id, acks, now_ms=_NOW_MS, rest=_Ack())


async def _measured(subject: Subject, callers: int, times: int, *, working: bool = False) -> Round:
    act = subject.work if working else subject.post
    cpu_s, wall_s = process_time(), perf_counter()
    await asyncio.gather(*(act(caller, times) for caller in range(callers)))
    calls = callers * times
    return Round((process_time() - cpu_s) * 1e6 / calls, (perf_counter() - wall_s) * 1e6 / calls)


async def _compare(url: str, directory: Path, options: argparse.Namespace) -> bool:
    engines: dict[str, Engine] = {"sqlite": SqliteEngine(directory), "postgresql": PostgresqlEngine(url)}
    subjects = {name: Subject(engine, options.queues) for name, engine in engines.items()}
    for engine in engines.values():
        await engine.start()
    good = True
    for callers in options.callers:
        times = max(options.calls // callers, 1)
        rounds: dict[str, list[Round]] = {name: [] for name in subjects}
        for number in range(options.rounds + 1):
            for name, subject in subjects.items():
                taken = await _measured(subject, callers, times)
                if number:  # The first one warms up.
                    rounds[name].append(taken)
        good &= _report(f"{callers} callers, a post", rounds, _WANTED_US if callers == 64 else None)
    rounds = {name: [] for name in subjects}
    for _ in range(options.rounds):
        for name, subject in subjects.items():
            rounds[name].append(await _measured(subject, 16, 20, working=True))
    _report("16 callers, claim 10 and acknowledge", rounds, None)
    for engine in engines.values():
        await engine.close()
    return good


def _report(what: str, rounds: dict[str, list[Round]], wanted_us: float | None) -> bool:
    middle = {name: statistics.median(each.cpu_us for each in taken) for name, taken in rounds.items()}
    for name, taken in rounds.items():
        wall_us = statistics.median(each.wall_us for each in taken)
        print(f"{what:<38} {name:<11} {middle[name]:8.1f} us CPU {1e6 / wall_us:10,.0f} /s")
    over_us = middle["postgresql"] - middle["sqlite"]
    verdict = (
        "" if wanted_us is None else f"   wanted: at most {wanted_us:.0f}" + ("" if over_us <= wanted_us else " !")
    )
    print(f"{'':<38} {'difference':<11} {over_us:8.1f} us CPU{verdict}")
    return wanted_us is None or over_us <= wanted_us


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and return 1 if PostgreSQL costs a node more than it may."""
    parser = argparse.ArgumentParser(prog="python -m bench.stores", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--callers", type=int, nargs="+", default=[16, 64, 256])
    parser.add_argument("--calls", type=int, default=6_400, help="posts of a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--queues", type=int, default=1)
    parser.add_argument("--quick-disk", action="store_true", help="let the server not wait for its disk")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, PostgreSQL(durable=not options.quick_disk) as server:
        url = server.new_database()
        return 0 if uvloop.run(_compare(url, Path(folder), options)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

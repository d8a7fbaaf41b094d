"""``python -m bench.peers``: measure the service and its peers in one run, and print what was found."""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

import pytest
import uvloop

from bench.peers.measuring import CASES, Amounts, Sample, measure, prepare
from bench.peers.nats import JetStream
from bench.peers.peer import Peer, Surroundings
from bench.peers.postgresql import TableQueues
from bench.peers.processes import Processes
from bench.peers.rabbitmq import QuorumQueues
from bench.peers.redis_streams import RedisStreams
from bench.peers.report import Found, as_json, goals, tables
from bench.peers.sukkal import Sukkal, SukkalWebhook
from bench.peers.zaqar import DurableZaqar, NotifyingZaqar, PlainZaqar
from bench.processes import Cores, pick_cores
from bench.report import Machine
from bench.rounds import BEARABLE_SHARE, Neighbours
from bench.wire import BenchError

__all__ = ["main"]

_PEERS: Final[dict[str, type[Peer]]] = {
    "sukkal": Sukkal,
    "zaqar": PlainZaqar,
    "zaqar-durable": DurableZaqar,
    "rabbitmq": QuorumQueues,
    "redis": RedisStreams,
    "postgresql": TableQueues,
    "nats": JetStream,
    "sukkal-webhook": SukkalWebhook,
    "zaqar-webhook": NotifyingZaqar,
}
_FULL: Final = Amounts(seconds=3.0, taken=4_800, pushed=200, posting=64, working=16)
_QUICK: Final = Amounts(seconds=0.7, taken=1_600, pushed=50, posting=64, working=16)
_STOPPED: Final = 130
_SETTLE_S: Final = 0.5


class Measured:
    """A peer that is being measured."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.heard: asyncio.Queue[float] = asyncio.Queue()
        self.samples: dict[str, list[Sample]] = {case: [] for case in CASES if case not in peer.absent}

    def hear(self) -> None:
        """Note that a message has arrived."""
        self.heard.put_nowait(time.perf_counter())

    async def settle(self) -> None:
        """Wait until it does next to nothing: what it does afterwards must not fall into another's measurement."""
        processes = Processes(self.peer.roots)
        for _ in range(60):
            before_s = processes.cpu_s()
            await asyncio.sleep(_SETTLE_S)
            if processes.cpu_s() - before_s < 0.1 * _SETTLE_S:
                return

    def found(self) -> Found:
        """Return what was measured."""
        memory_mib = Processes(self.peer.roots).memory_mib()
        return Found(self.peer.name, self.peer.durability, self.samples, memory_mib)


async def run(options: argparse.Namespace, folder: Path, cores: Cores) -> list[Found]:
    """Start all peers, measure each case of each once per round, and return what was found."""
    if (task := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    neighbours = Neighbours(cores)
    running: list[Measured] = []
    try:
        for name in options.only or _PEERS:
            tell(f"starting {name}")
            place = folder / name
            place.mkdir()
            measured = Measured(_PEERS[name]())
            running.append(measured)
            await measured.peer.start(Surroundings(place, cores.server), _FULL.posting)
            await prepare(measured.peer, measured.hear)
        for number in range(1, options.rounds + 1):
            for case in CASES:
                for measured in running:
                    if case in measured.samples:
                        tell(f"round {number} of {options.rounds}: {case}, {measured.peer.name}")
                        measured.samples[case].append(await least_disturbed(measured, case, options, neighbours))
        return [measured.found() for measured in running]
    finally:
        for measured in reversed(running):
            await measured.peer.stop()


async def least_disturbed(measured: Measured, case: str, options: argparse.Namespace, neighbours: Neighbours) -> Sample:
    """Return the first measurement that was left in peace, or else the best of all attempts."""
    found: list[Sample] = []
    for _ in range(options.attempts):
        try:
            amounts = _QUICK if options.quick else _FULL
            found.append(await measure(measured.peer, case, amounts, neighbours, measured.heard))
        except (BenchError, OSError) as error:
            raise BenchError(f"{measured.peer.name}, {case}: {error!r}") from error
        await measured.settle()
        if found[-1].others <= BEARABLE_SHARE:
            break
    return min(found, key=lambda sample: sample.others)


def tell(progress: str) -> None:
    """Show what is going on."""
    print(progress, file=sys.stderr, flush=True)


def disturbance(found: Sequence[Found]) -> str:
    """Return in a sentence how busy the machine was."""
    others = [sample.others for each in found for samples in each.samples.values() for sample in samples]
    disturbed = sum(share > BEARABLE_SHARE for share in others)
    return (
        f"Other programs took {median(others):.0%} of the two cores (median), {max(others):.0%} at worst; "
        f"{disturbed} of {len(others)} measurements were disturbed."
    )


def main() -> int:
    """Measure, print and return the exit code: 0 when everything could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, metavar="N", help="how often each case is measured (default 3, quick 1)")
    add("--attempts", type=int, default=3, metavar="N", help="tries while other programs disturb (default 3)")
    add("--quick", action="store_true", help="fewer and shorter rounds")
    add("--only", action="append", default=[], choices=_PEERS, metavar="PEER", help=f"repeatable: {', '.join(_PEERS)}")
    add("--json", type=Path, metavar="FILE", help="also write all figures to a file")
    add("--directory", type=Path, default=Path("/var/tmp"), metavar="DIR", help="a place on a disk (default /var/tmp)")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    os.umask(0o022)
    try:
        with tempfile.TemporaryDirectory(prefix="sukkal-peers-", dir=options.directory) as directory:
            Path(directory).chmod(0o755)
            machine, cores = Machine(Path(directory)), pick_cores()
            print(machine.text(), flush=True)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                found = runner.run(run(options, Path(directory), cores))
    except (BenchError, OSError, pytest.fail.Exception) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _STOPPED
    print("\n".join(["", tables(found), "", *[f"- {goal}" for goal in goals(found)], "", disturbance(found)]))
    if options.json:
        options.json.write_text(json.dumps(as_json(found), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

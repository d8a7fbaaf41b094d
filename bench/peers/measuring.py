"""Measures one case of one peer."""

import asyncio
import gc
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bench.peers.peer import QUEUES, TAKEN_AT_ONCE, Peer
from bench.peers.processes import Processes
from bench.rounds import Neighbours
from bench.wire import BenchError

__all__ = ["CASES", "LIST", "POST", "PUSH", "TAKE", "Amounts", "Sample", "measure", "prepare"]

POST: Final = "post"
TAKE: Final = "take"
LIST: Final = "list"
PUSH: Final = "push"
CASES: Final = (POST, TAKE, LIST, PUSH)

_WARM_S: Final = 0.3
_LISTED_MIN: Final = 40
_PUSH_S_MAX: Final = 30.0
_PUSH_PAUSE_S: Final = 0.005


@dataclass(frozen=True)
class Amounts:
    """How much is measured: ``taken`` messages and ``pushed`` ones, and for ``seconds`` everything else."""

    seconds: float
    taken: int
    pushed: int
    posting: int
    working: int


class Sample(NamedTuple):
    """One measurement. ``operations`` are posts, messages taken, listings or messages pushed."""

    operations: int
    seconds: float
    p50_s: float
    p99_s: float
    cpu_s: float
    load_s: float
    others: float

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.operations / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU time of the peer's processes for each operation."""
        return self.cpu_s / self.operations * 1e6


async def prepare(peer: Peer, heard: Callable[[], None]) -> None:
    """Make the queues of all cases, with what their measurements need."""
    for case in CASES:
        if case in peer.absent:
            continue
        await peer.make(case)
        if case == LIST:
            for number in range(QUEUES):
                await peer.fill(case, number, _LISTED_MIN)
        if case == PUSH:
            await peer.listen(case, heard)


class _Clock:
    """Takes the time of everything that a measurement uses, with the garbage collector off."""

    def __init__(self, processes: Processes, neighbours: Neighbours) -> None:
        self._processes = processes
        self._neighbours = neighbours

    def begin(self) -> None:
        gc.collect()
        gc.disable()
        self._busy_s = self._neighbours.busy_s()
        self._cpu_s, self._load_s = self._processes.cpu_s(), time.process_time()
        self._began_s = time.perf_counter()

    def end(self, latencies_s: Sequence[float], each: int) -> Sample:
        took_s = time.perf_counter() - self._began_s
        cpu_s, load_s = self._processes.cpu_s() - self._cpu_s, time.process_time() - self._load_s
        others_s = self._neighbours.busy_s() - self._busy_s - cpu_s - load_s
        gc.enable()
        if not latencies_s:
            raise BenchError(f"nothing was answered in {took_s:.1f} s")
        ordered = sorted(latencies_s)
        p50_s, p99_s = (ordered[math.ceil(len(ordered) * share) - 1] for share in (0.5, 0.99))
        share = max(others_s / took_s / 2, 0.0)
        return Sample(len(ordered) * each, took_s, p50_s, p99_s, cpu_s, load_s, share)


async def measure(
    peer: Peer, case: str, amounts: Amounts, neighbours: Neighbours, heard: asyncio.Queue[float]
) -> Sample:
    """Measure a case once. Raises ``BenchError``."""
    clock = _Clock(Processes(peer.roots), neighbours)
    if case == POST:
        return await _for_a_while(lambda number: peer.post(POST, number), amounts.posting, amounts.seconds, clock)
    if case == LIST:
        return await _for_a_while(lambda number: peer.list(LIST, number), amounts.working, amounts.seconds, clock)
    if case == TAKE:
        return await _take(peer, amounts, clock)
    return await _push(peer, amounts, clock, heard)


async def _for_a_while(
    act: Callable[[int], Awaitable[None]], connections: int, seconds: float, clock: _Clock
) -> Sample:
    latencies_s: list[float] = []
    end_s = time.perf_counter() + _WARM_S

    async def work(number: int) -> None:
        while (began_s := time.perf_counter()) < end_s:
            await act(number)
            latencies_s.append(time.perf_counter() - began_s)

    await _all(work, connections)
    latencies_s.clear()
    clock.begin()
    end_s = time.perf_counter() + seconds
    await _all(work, connections)
    return clock.end(latencies_s, 1)


async def _take(peer: Peer, amounts: Amounts, clock: _Clock) -> Sample:
    """Take a number of messages, because what is left of them is not the same with every peer after some time."""
    cycles = amounts.taken // amounts.working // TAKEN_AT_ONCE
    latencies_s: list[float] = []

    async def fill(number: int) -> None:
        await peer.fill(TAKE, number, (cycles + 1) * TAKEN_AT_ONCE)

    async def warm(number: int) -> None:
        await peer.take(TAKE, number)

    async def work(number: int) -> None:
        for _ in range(cycles):
            began_s = time.perf_counter()
            await peer.take(TAKE, number)
            latencies_s.append(time.perf_counter() - began_s)

    await _all(fill, amounts.working)
    await _all(warm, amounts.working)
    clock.begin()
    await _all(work, amounts.working)
    return clock.end(latencies_s, TAKEN_AT_ONCE)


async def _push(peer: Peer, amounts: Amounts, clock: _Clock, heard: asyncio.Queue[float]) -> Sample:
    """Post one message after another, each when the one before has arrived."""
    latencies_s: list[float] = []
    clock.begin()
    for _ in range(amounts.pushed):
        began_s = time.perf_counter()
        async with asyncio.timeout(_PUSH_S_MAX):
            posting = asyncio.create_task(peer.post(PUSH, 0))
            latencies_s.append(await heard.get() - began_s)
            await posting
        await asyncio.sleep(_PUSH_PAUSE_S)
    return clock.end(latencies_s, 1)


async def _all(work: Callable[[int], Awaitable[None]], connections: int) -> None:
    await asyncio.gather(*[work(number) for number in range(connections)])

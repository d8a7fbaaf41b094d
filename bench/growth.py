"""The growth cases: what a store full of queues, or of dead messages, costs those who use a few live ones."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import msgspec

from bench.load import perform
from bench.processes import Cores, Server, service_command
from bench.rounds import Case, Result, Target
from bench.scripts import queue_path
from bench.wire import BenchError, request, require, status_line
from bench.workloads import MESSAGE, ClaimingOnly, Listing, PostingAndClaiming
from sukkal.engines.sqlite import SqliteEngine
from sukkal.ids import OrderedIds
from sukkal.model import NewClaim, NewMessage, Post, QueueKey

__all__ = ["GROWTH", "Comparison", "Sizes", "measure_growth"]

GROWTH: Final = "growth"
FEW_QUEUES: Final = 100
WORST_WANTED: Final = 2.0
CONNECTIONS: Final = 16

_PROJECT: Final = "bench"
_CLAIMED_QUEUE: Final = "line"
_LISTED_QUEUE: Final = "page"
_AT_ONCE: Final = 1_000
_TTL_S: Final = 3_600
_DEAD_FOR_S: Final = 600
_LONG_TTL_S: Final = 1_209_600
_CLAIM_TTL_S: Final = 43_200
_BODY: Final = msgspec.json.encode(MESSAGE["body"])


class Sizes(NamedTuple):
    """How large the large states are."""

    queues: int
    dead: int


class Comparison(NamedTuple):
    """The same case in a small and in a large state."""

    label: str
    small: Result
    large: Result
    worst_wanted: float = WORST_WANTED


class _Builder:
    """Writes a state into a data directory, through the engine, with times of its own choosing."""

    def __init__(self, engine: SqliteEngine, now_ms: int) -> None:
        self._engine = engine
        self._now_ms = now_ms
        self._new_id = OrderedIds(lambda: self._now_ms, Random(1))

    async def queues(self, count: int) -> None:
        """Create queues with one message each."""
        for at in range(0, count, _AT_ONCE):
            names = _queue_names(count)[at : at + _AT_ONCE]
            await self._engine.publish(
                [Post(_key(name), self._messages(1, _TTL_S)) for name in names], now_ms=self._now_ms
            )

    async def claimed(self, queue: str, count: int) -> None:
        """Put messages into a queue and claim them all, for long."""
        await self._publish(queue, count, _LONG_TTL_S, self._now_ms)
        for _ in range(0, count, _AT_ONCE):
            new = NewClaim(id=self._new_id(), ttl_s=_CLAIM_TTL_S, grace_s=60)
            await self._engine.claim(_key(queue), new, limit=_AT_ONCE, now_ms=self._now_ms)

    async def expired(self, queue: str, count: int) -> None:
        """Put messages into a queue that expired some minutes ago."""
        await self._publish(queue, count, _TTL_S, self._now_ms - (_TTL_S + _DEAD_FOR_S) * 1_000)

    async def _publish(self, queue: str, count: int, ttl_s: int, then_ms: int) -> None:
        for at in range(0, count, _AT_ONCE):
            post = Post(_key(queue), self._messages(min(_AT_ONCE, count - at), ttl_s))
            await self._engine.publish([post], now_ms=then_ms)

    def _messages(self, count: int, ttl_s: int) -> tuple[NewMessage, ...]:
        return tuple([NewMessage(id=self._new_id(), body=_BODY, ttl_s=ttl_s) for _ in range(count)])


def _key(queue: str) -> QueueKey:
    return QueueKey(_PROJECT, queue)


def _queue_names(count: int) -> list[str]:
    return [f"q-{number}" for number in range(count)]


def _build(directory: Path, steps: Callable[[_Builder], Awaitable[None]]) -> None:
    async def build() -> None:
        engine = SqliteEngine(directory)
        await engine.start()
        try:
            await steps(_Builder(engine, time.time_ns() // 1_000_000))
        finally:
            await engine.close()

    asyncio.run(build())


def _states(sizes: Sizes) -> dict[str, Callable[[_Builder], Awaitable[None]]]:
    async def small(builder: _Builder) -> None:
        await builder.queues(FEW_QUEUES)

    async def queues(builder: _Builder) -> None:
        await builder.queues(sizes.queues)

    async def claimed(builder: _Builder) -> None:
        await builder.queues(FEW_QUEUES)
        for queue in (_CLAIMED_QUEUE, _LISTED_QUEUE):
            await builder.claimed(queue, sizes.dead)

    async def expired(builder: _Builder) -> None:
        await builder.queues(FEW_QUEUES)
        for queue in (_CLAIMED_QUEUE, _LISTED_QUEUE):
            await builder.expired(queue, sizes.dead)

    return {"small": small, "queues": queues, "claimed": claimed, "expired": expired}


def measure_growth(
    directory: Path,
    cores: Cores,
    sizes: Sizes,
    *,
    depth: int,
    measure: Callable[[Sequence[Case]], list[Result]],
    tell: Callable[[str], None],
) -> list[Comparison]:
    """Build the states, have them measured in turn, and return what each large one costs."""
    directory.mkdir()
    with ExitStack() as running:
        targets: dict[str, Target] = {}
        for state, steps in _states(sizes).items():
            tell(f"building the state: {state}")
            _build(directory / state, steps)
            # Sweeping would take away what is to be shown.
            command = service_command(directory / state, "--sweep-interval-s", "3600")
            server = Server(command, core=cores.server, log=directory / f"{state}.log")
            targets[state] = Target.of(running.enter_context(server))
        _check_claimed(targets["claimed"], sizes)
        cases = _cases(targets, sizes, depth)
        results = measure(list(cases.values()))
        _check_claimed(targets["claimed"], sizes)
    _check_expired(directory / "expired")
    return _comparisons(dict(zip(cases, results, strict=True)), sizes)


def _cases(targets: dict[str, Target], sizes: Sizes, depth: int) -> dict[tuple[str, str], Case]:
    def shuffled(queues: Sequence[str]) -> list[str]:
        return Random(2).sample(queues, len(queues))

    cases: dict[tuple[str, str], Case] = {}
    for state, count in (("small", FEW_QUEUES), ("queues", sizes.queues)):
        posting = PostingAndClaiming(_queue_names(count), shuffled)
        cases["post+claim", state] = Case(f"post+claim, {state}", CONNECTIONS, targets[state], posting)
    for state in ("small", "claimed", "expired"):
        claiming = ClaimingOnly(_CLAIMED_QUEUE, depth)
        cases["claim", state] = Case(f"claim, {state}", CONNECTIONS, targets[state], claiming)
    for state in ("small", "claimed", "expired"):
        listing = Listing([_LISTED_QUEUE])
        cases["list", state] = Case(f"list, {state}", CONNECTIONS, targets[state], listing)
    return cases


def _comparisons(results: dict[tuple[str, str], Result], sizes: Sizes) -> list[Comparison]:
    queues = f"post+claim: {sizes.queues:,} queues against {FEW_QUEUES}"
    found = [Comparison(queues, results["post+claim", "small"], results["post+claim", "queues"])]
    for name in ("claim", "list"):
        for state in ("claimed", "expired"):
            label = f"{name}: {sizes.dead:,} {state} in front against none"
            found.append(Comparison(label, results[name, "small"], results[name, state]))
    return found


def _check_claimed(target: Target, sizes: Sizes) -> None:
    def check(answer: bytes, body_at: int) -> None:
        require(answer, status_line(200))
        claimed = msgspec.json.decode(answer[body_at:])["messages"]["claimed"]
        if claimed < sizes.dead:
            raise BenchError(f"only {claimed:,} of {sizes.dead:,} messages are claimed")

    requests = [request("GET", f"{queue_path(queue)}/stats") for queue in (_CLAIMED_QUEUE, _LISTED_QUEUE)]
    perform(target.address, requests, check)


def _check_expired(directory: Path) -> None:
    """Raise ``BenchError`` if the expired messages had been swept before the end."""

    async def sweep() -> int:
        engine = SqliteEngine(directory)
        await engine.start()
        try:
            return (await engine.sweep(now_ms=time.time_ns() // 1_000_000, limit=_AT_ONCE)).removed
        finally:
            await engine.close()

    if asyncio.run(sweep()) < _AT_ONCE:
        raise BenchError("the expired messages were swept during the measurement")

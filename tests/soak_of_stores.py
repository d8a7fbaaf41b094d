"""``make soak-stores``: a steady load on PostgreSQL, and whether its tables stay as large as they are.

Messages are posted, most are claimed and acknowledged, the rest expires and is swept; time is made to pass quickly. The
server cleans up by itself, as it does everywhere. It is no part of the tests, since it wants minutes.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Final

import asyncpg

from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.model import Ack, NewClaim, NewMessage, Post, QueueKey
from tests.engines.postgresql_server import PostgreSQL, nodes

TTL_S: Final = 60
STEP_MS: Final = 20
AT_ONCE: Final = 20
WORKED_OFF: Final = 15
QUEUES: Final = 8
SAMPLES: Final = 24
GROWTH_MAX: Final = 1.25
_SIZES: Final = (
    "SELECT pg_relation_size('sukkal.messages'), pg_indexes_size('sukkal.messages'), "
    "pg_total_relation_size('sukkal.places') + pg_total_relation_size('sukkal.claims'), "
    "(SELECT count(*) FROM sukkal.messages)"
)


class Clock:
    """A time that every step moves on."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def step(self) -> int:
        """Move on and return the time."""
        self.now_ms += STEP_MS
        return self.now_ms


async def load(engine: PostgresqlEngine, clock: Clock, queue: int, until_s: float) -> int:
    """Post and work off until the time is over, and return how many were posted."""
    key, left, posted = QueueKey("soak", f"queue-{queue}"), QueueKey("soak", f"left-{queue}"), 0
    while time.monotonic() < until_s:
        now_ms = clock.step()
        names = [f"{queue}-{posted + number:010}" for number in range(AT_ONCE)]
        messages = tuple(NewMessage(id=name, body=b"x" * 300, ttl_s=TTL_S) for name in names)
        # Nobody works off what is in the second queue.
        posts = (Post(key, messages[:WORKED_OFF]), Post(left, messages[WORKED_OFF:]))
        await engine.publish(posts, now_ms=now_ms)
        posted += AT_ONCE
        new = NewClaim(id=f"claim-{queue}-{posted:010}", ttl_s=30, grace_s=0)
        taken = await engine.claim(key, new, limit=WORKED_OFF, now_ms=now_ms)
        await engine.settle(key, new.id, dict.fromkeys([each.id for each in taken], Ack()), now_ms=now_ms, rest=Ack())
    return posted


async def sweep(engine: PostgresqlEngine, clock: Clock) -> None:
    """Sweep as the service does, a slice at a time."""
    while True:
        swept = await engine.sweep(now_ms=clock.now_ms, limit=500)
        await asyncio.sleep(0 if swept.more else 0.1)


async def watch(url: str, seconds: int) -> list[int]:
    """Print now and then how large the tables are, and return the sizes."""
    connection = await asyncpg.connect(url)
    sizes: list[int] = []
    for sample in range(1, SAMPLES + 1):
        await asyncio.sleep(seconds / SAMPLES)
        [(table, indexes, others, rows)] = await connection.fetch(_SIZES)
        print(
            f"{sample * seconds / SAMPLES:6.0f} s  {rows:8,} messages  table {table >> 10:8,} KiB  "
            f"indexes {indexes >> 10:8,} KiB  places and claims {others >> 10:6,} KiB",
            flush=True,
        )
        sizes.append(table + indexes + others)
    await connection.close()
    return sizes


async def soak(url: str, seconds: int) -> bool:
    """Load a store and tell whether its size was flat."""
    async with nodes(url, 2) as engines:
        clock = Clock()
        sweeping = [asyncio.ensure_future(sweep(engine, clock)) for engine in engines]
        until_s = time.monotonic() + seconds
        loads = [load(engines[queue % 2], clock, queue, until_s) for queue in range(QUEUES)]
        watching = asyncio.ensure_future(watch(url, seconds))
        posted = await asyncio.gather(*loads)
        sizes = await watching
        for each in sweeping:
            each.cancel()
        for outcome in await asyncio.gather(*sweeping, return_exceptions=True):
            if not isinstance(outcome, asyncio.CancelledError):
                raise RuntimeError("the sweep ended") from outcome
    before, after = max(sizes[SAMPLES // 3 : 2 * SAMPLES // 3]), max(sizes[2 * SAMPLES // 3 :])
    print(f"{sum(posted):,} messages posted; size {before >> 10:,} KiB, then {after >> 10:,} KiB")
    return after <= before * GROWTH_MAX


def main(arguments: Sequence[str]) -> int:
    """Run the soak and return 1 if the tables grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak_of_stores")
    parser.add_argument("--seconds", type=int, default=180)
    options = parser.parse_args(arguments)
    with PostgreSQL(durable=True) as server:
        flat = asyncio.run(soak(server.new_store(), options.seconds))
    print("flat" if flat else "IT GROWS")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

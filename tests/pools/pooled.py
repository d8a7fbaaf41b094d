"""Engines over engines for tests."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random

import msgspec

from sukkal.engines.memory import MemoryEngine
from sukkal.engines.postgresql import PostgresqlEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.pools import Pool, PooledEngine
from sukkal.pools.definitions import pool_key
from sukkal.pools.members import MovableEngine
from sukkal.records import Records

__all__ = ["Pools", "no_pause"]


async def no_pause(seconds: float) -> None:
    """Wait for nothing."""


class Pools(PooledEngine):
    """An engine over others that makes its pools when it starts. ``memory://NAME`` outlives a restart."""

    def __init__(
        self,
        home: MovableEngine,
        uris: Sequence[str],
        *,
        now_ms: Callable[[], int] = lambda: 1,
        draw: Callable[[], float] | None = None,
        make_engine: Callable[[str], MovableEngine] | None = None,
        settle_ms: int = 0,
        check: Callable[[Records], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__(
            home,
            MemoryEngine(),
            make_engine or engine_of,
            now_ms=now_ms,
            draw=draw or Random(7).random,
            pause=no_pause,
            settle_ms=settle_ms,
            check=check,
        )
        self._uris = uris

    async def start(self) -> None:
        """Make the pools ``p1`` and on, and open everything."""
        await super().start()
        for number, uri in enumerate(self._uris, 1):
            pool = Pool(uri=uri, weight=100)
            await self.home.put_record(pool_key(f"p{number}"), msgspec.json.encode(pool), now_ms=0)
        await self.refresh()


def engine_of(uri: str) -> MovableEngine:
    """Return the engine that a URI names."""
    if uri.startswith("postgresql:"):
        return PostgresqlEngine(uri, lanes=1)
    return SqliteEngine(Path(uri.removeprefix("sqlite:///"))) if uri.startswith("sqlite:") else MemoryEngine()

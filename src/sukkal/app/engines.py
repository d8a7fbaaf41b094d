"""The engines that a URI can name: those of the store and of pools, and the index that belongs to a store."""

import asyncio
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Final

from sukkal.clock import elapsed_s
from sukkal.engines.memory import MemoryEngine
from sukkal.errors import SettingsError
from sukkal.extras import needs_extra
from sukkal.indexes.sqlite_fts import SqliteIndex
from sukkal.pools import Pool, PooledEngine
from sukkal.pools.draining import Drains
from sukkal.pools.lease import Lease
from sukkal.pools.members import Member, MovableEngine
from sukkal.pools.moving import Mover
from sukkal.search import SearchIndex
from sukkal.service.pools import Pools
from sukkal.settings import Settings

__all__ = ["drains_of", "engine_of", "index_of", "pooled_engine", "pools_service"]

_SQLITE: Final = "sqlite:///"
_POSTGRESQL: Final = "postgresql://"
_WANTS: Final = "sqlite:///DIR, sqlite:////ABSOLUTE/DIR, postgresql://... or memory://"
_ALONE: Final = (_SQLITE, "memory:")
"""Stores that one process has for itself, so that all others know at once what it does."""
_PORT: Final = re.compile(r":\d+\Z")
_PORT_USUAL: Final = 5432
_SETTLE_MS: Final = 30_000


def engine_of(uri: str) -> MovableEngine:
    """Return the engine of a URI. Raises ``SettingsError``."""
    # Only an engine that is asked for is loaded, with what it depends on.
    if uri.startswith(_SQLITE) and len(uri) > len(_SQLITE):
        from sukkal.engines.sqlite import SqliteEngine

        return SqliteEngine(Path(uri.removeprefix(_SQLITE)))
    if uri.startswith(_POSTGRESQL):
        with needs_extra("postgresql", "To keep messages in PostgreSQL"):
            from sukkal.engines.postgresql import PostgresqlEngine

        return PostgresqlEngine(uri)
    if uri.startswith("memory:"):
        return MemoryEngine()
    raise SettingsError(f"A `uri` is {_WANTS}.")


def index_of(settings: Settings) -> SearchIndex:
    """Return the index that all nodes of a store have in common: in PostgreSQL its own, else that of the one node."""
    if settings.store.startswith(_POSTGRESQL):
        with needs_extra("postgresql", "To keep messages in PostgreSQL"):
            from sukkal.indexes.postgresql import PostgresqlIndex

        return PostgresqlIndex(settings.store, bytes_max=settings.search_bytes_max)
    directory = None if settings.directory is None else Path(settings.directory) / "search"
    return SqliteIndex(directory, bytes_max=settings.search_bytes_max, elapsed_s=elapsed_s)


def pooled_engine(settings: Settings, now_ms: Callable[[], int]) -> PooledEngine:
    """Return the engine of the store, with the pools that operators make."""
    return PooledEngine(
        engine_of(settings.store),
        MemoryEngine(),
        engine_of,
        now_ms=now_ms,
        draw=Random().random,
        pause=asyncio.sleep,
        settle_ms=0 if settings.store.startswith(_ALONE) else _SETTLE_MS,
    )


def drains_of(engine: PooledEngine, holder: str, now_ms: Callable[[], int]) -> Drains:
    """Return what moves queues from pool to pool."""
    lease = Lease(engine, "moving queues", holder, now_ms)
    return Drains(engine, Mover(engine, engine.places, engine.owners, engine.ask, lease, now_ms), lease)


def pools_service(settings: Settings, engine: PooledEngine, now_ms: Callable[[], int]) -> Pools:
    """Return the operations on pools."""

    def is_taken(uri: str, pools: Iterable[str]) -> bool:
        stores = () if uri.startswith("memory:") else (settings.store,)
        return any(not _places(uri).isdisjoint(_places(other)) for other in (*stores, *pools))

    async def connects(pool: Pool) -> str | None:
        member = Member(pool, engine_of(pool.uri))
        refusal = await member.open()
        await member.close()
        return refusal

    return Pools(engine, now_ms, is_taken=is_taken, connects=connects)


def _places(uri: str) -> set[str]:
    """Return where the data of a URI are, whoever uses them, by all names that it has for that."""
    if uri.startswith(_SQLITE):
        return {str(Path(uri.removeprefix(_SQLITE)).resolve())}
    if not uri.startswith(_POSTGRESQL):
        return {uri}
    place, _, database = uri.removeprefix(_POSTGRESQL).partition("?")[0].partition("/")
    hosts = place.rpartition("@")[2].lower().split(",")
    return {f"{host if _PORT.search(host) else f'{host}:{_PORT_USUAL}'}/{database}" for host in hosts}

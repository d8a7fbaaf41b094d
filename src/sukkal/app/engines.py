"""The engines that a URI can name: those of the store and of pools, and the index that belongs to a store."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from sukkal.carrying.arriving import check_whole
from sukkal.clock import elapsed_s
from sukkal.engines.commits import Commits
from sukkal.engines.memory import MemoryEngine
from sukkal.errors import InvalidRequest, SettingsError
from sukkal.extras import needs_extra
from sukkal.indexes.sqlite_fts import SqliteIndex
from sukkal.pools import Pool, PooledEngine
from sukkal.pools.definitions import masked
from sukkal.pools.draining import Drains
from sukkal.pools.identity import identity_of
from sukkal.pools.lease import Lease
from sukkal.pools.members import Member, MovableEngine
from sukkal.pools.moving import Mover
from sukkal.records import Records
from sukkal.search import SearchIndex
from sukkal.service.pools import Pools
from sukkal.settings import Settings
from sukkal.store import Shared

__all__ = ["drains_of", "engine_of", "index_of", "pooled_engine", "pools_service", "sweeping_turn"]

_SQLITE: Final = "sqlite:///"
_POSTGRESQL: Final = "postgresql://"
_WANTS: Final = "sqlite:///DIR, sqlite:////ABSOLUTE/DIR, postgresql://... or memory://"
_ALONE: Final = (_SQLITE, "memory:")
"""Stores that one process has for itself, so that all others know at once what it does."""
_PORT: Final = re.compile(r":\d+\Z")
_PORT_USUAL: Final = 5432
_SETTLE_MS: Final = 30_000
_SWEEPS_MS: Final = 20_000
"""How long a node sweeps before it says again that it does; a lease lasts longer."""


def engine_of(uri: str, settings: Settings, commits: Commits | None = None) -> MovableEngine:
    """Return the engine of a URI, whose ``commits`` are counted. Raises ``SettingsError``."""
    # Only an engine that is asked for is loaded, with what it depends on.
    if uri.startswith(_SQLITE) and len(uri) > len(_SQLITE):
        from sukkal.engines.sqlite import SqliteEngine

        return SqliteEngine(Path(uri.removeprefix(_SQLITE)), commits)
    if uri.startswith(_POSTGRESQL):
        with needs_extra("postgresql", "To keep messages in PostgreSQL"):
            from sukkal.engines.postgresql import PostgresqlEngine

        timeout_s = settings.store_timeout_s
        return PostgresqlEngine(uri, connect_s=timeout_s, statement_s=timeout_s, commits=commits)
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


def pooled_engine(settings: Settings, now_ms: Callable[[], int], commits: Commits) -> PooledEngine:
    """Return the engine of the store, with the pools that operators make; the commits of all are counted."""

    async def check(records: Records) -> None:
        await check_whole(records, now_ms())

    return PooledEngine(
        engine_of(settings.store, settings, commits),
        MemoryEngine(),
        partial(engine_of, settings=settings, commits=commits),
        now_ms=now_ms,
        draw=Random().random,
        pause=asyncio.sleep,
        settle_ms=0 if settings.store.startswith(_ALONE) else _SETTLE_MS,
        check=check,
    )


def drains_of(engine: PooledEngine, holder: str, now_ms: Callable[[], int]) -> Drains:
    """Return what moves queues from pool to pool."""
    lease = Lease(engine, "moving queues", holder, now_ms)
    return Drains(engine, Mover(engine, engine.places, engine.owners, engine.ask, lease, now_ms), lease, now_ms)


def sweeping_turn(engine: PooledEngine, holder: str, now_ms: Callable[[], int]) -> Callable[[], Awaitable[bool]]:
    """Return what tells whether it falls to this node to sweep."""
    lease, kept_ms = Lease(engine, "sweeping", holder, now_ms), 0

    async def falls_to_it() -> bool:
        nonlocal kept_ms
        if engine.shared is None or now_ms() - kept_ms < _SWEEPS_MS:
            return True
        if not await lease.keep():
            return False
        kept_ms = now_ms()
        return True

    return falls_to_it


def pools_service(
    settings: Settings, engine: PooledEngine, now_ms: Callable[[], int], new_id: Callable[[], str]
) -> Pools:
    """Return the operations on pools."""

    def is_taken(uri: str, pools: Iterable[str]) -> bool:
        stores = () if uri.startswith("memory:") else (settings.store,)
        return any(not _places(uri).isdisjoint(_places(other)) for other in (*stores, *pools))

    async def identity(records: Records) -> str:
        return await identity_of(records, new_id, now_ms=now_ms())

    async def connects(pool: Pool) -> str:
        member = Member(pool, engine_of(pool.uri, settings))
        if engine.shared is not None and not isinstance(member.engine, Shared):
            raise InvalidRequest("All nodes of this store use its pools, so a pool has to be postgresql://..., too.")
        found: list[str] = []

        async def opened(member: Member) -> None:
            await check_whole(member.engine, now_ms())
            found.append(await identity(member.engine))

        refusal = await member.open(opened)
        await member.close()
        if refusal is not None:
            raise InvalidRequest(f"cannot connect to {masked(pool.uri)}: {refusal}")
        return found[0]

    return Pools(engine, now_ms, is_taken=is_taken, connects=connects, identity=identity)


def _places(uri: str) -> set[str]:
    """Return where the data of a URI are, whoever uses them, by all names that it has for that."""
    if uri.startswith(_SQLITE):
        return {str(Path(uri.removeprefix(_SQLITE)).resolve())}
    if not uri.startswith(_POSTGRESQL):
        return {uri}
    place, _, database = uri.removeprefix(_POSTGRESQL).partition("?")[0].partition("/")
    hosts = place.rpartition("@")[2].lower().split(",")
    return {f"{host if _PORT.search(host) else f'{host}:{_PORT_USUAL}'}/{database}" for host in hosts}

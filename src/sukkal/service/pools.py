"""Pools: where queues can be kept, how many of them each gets, and getting one empty."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import Forbidden, InvalidBody, InvalidRequest, NotFound, SettingsError, StoreUnavailable
from sukkal.pools import Pool, PooledEngine
from sukkal.pools.definitions import HOME, POOLS, all_records, decoded, masked, pool_key
from sukkal.records import Records
from sukkal.service.names import is_queue_name
from sukkal.service.pages import check_limit

__all__ = ["LIMIT_REFUSAL", "PoolState", "Pools", "checked_name"]

LIMIT_REFUSAL: Final = "Limit must be at least 1 and no greater than {}."

_POOLS_MAX: Final = 100
_WEIGHT_MAX: Final = 2**32 - 1
_URI_CHARS_MAX: Final = 1_024

_Weight = Annotated[int, msgspec.Meta(ge=0, le=_WEIGHT_MAX)]
_Uri = Annotated[str, msgspec.Meta(min_length=1, max_length=_URI_CHARS_MAX)]


class _New(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body that makes or replaces a pool."""

    uri: _Uri
    weight: _Weight
    flavor: str | None = None
    options: dict[str, Any] | None = None


class _Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body that changes some of a pool."""

    uri: _Uri | None = None
    weight: _Weight | None = None
    flavor: str | None = None
    options: dict[str, Any] | None = None


class PoolState(msgspec.Struct, frozen=True):
    """A pool as operators see it, its URI without the password.

    ``reason`` is why it is down; ``queues`` is how many it has, if that was asked.
    """

    pool: Pool
    up: bool
    reason: str | None = None
    queues: int | None = None


class Pools:
    """The operations on pools.

    ``is_taken`` tells of a URI whether its data are those of the store itself or of other URIs. ``connects`` tries a
    pool that is to be made, and returns the identity of its data; it raises ``InvalidRequest`` if it cannot be used.
    ``identity`` returns that of the data of other records.
    """

    def __init__(
        self,
        engine: PooledEngine,
        now_ms: Callable[[], int],
        *,
        is_taken: Callable[[str, Iterable[str]], bool],
        connects: Callable[[Pool], Awaitable[str]],
        identity: Callable[[Records], Awaitable[str]],
    ) -> None:
        self._engine = engine
        self._now_ms = now_ms
        self._is_taken = is_taken
        self._connects = connects
        self._identity = identity

    async def list(self, *, marker: str | None, limit: int | None) -> list[PoolState]:
        """Return a page of pools by name."""
        most = check_limit(limit, limits.PAGE_MAX, LIMIT_REFUSAL)
        found = [name for name in sorted(await self._all()) if name > (marker or "")][:most]
        return [await self.get(name) for name in found]

    async def get(self, name: str, *, counted: bool = False) -> PoolState:
        """Return a pool. Raises ``NotFound``."""
        pool = await self._pool(name)
        member = self._engine.members.get(name)
        queues = await self._count(name) if counted else None
        shown = replace(pool, uri=masked(pool.uri))
        if member is None:
            return PoolState(shown, up=False, queues=queues)
        return PoolState(shown, not member.down, member.reason, queues)

    async def put(self, name: str, document: Mapping[str, Any]) -> None:
        """Make a pool, or give one another weight, flavor and options; its URI has to stay."""
        wanted = _read(document, _New)
        checked_name(name, "pool")
        present = (await self._all()).get(name)
        pool = Pool(name=name, uri=wanted.uri, weight=wanted.weight, flavor=wanted.flavor, options=wanted.options or {})
        await self._keep(pool, present)

    async def change(self, name: str, document: Mapping[str, Any]) -> None:
        """Change some of a pool. Raises ``NotFound``."""
        wanted = _read(document, _Change)
        given = {key: getattr(wanted, key) for key in document}
        if not given:
            raise InvalidBody("One of `uri`, `weight`, `flavor`, or `options` needs to be specified")
        present = await self._pool(name)
        if given.get("uri") == masked(present.uri):
            del given["uri"]
        for key in ("uri", "weight", "options"):
            if key in given and given[key] is None:
                raise InvalidBody(f"`{key}` cannot be null.")
        await self._keep(replace(present, **given), present)

    async def drain(self, name: str, *, draining: bool) -> PoolState:
        """Have a pool give its queues to the others and take no new ones; or let it be as before."""
        present = await self._pool(name)
        await self._store(replace(present, draining=draining))
        return await self.get(name, counted=True)

    async def delete(self, name: str) -> None:
        """Forget a pool, which has to be empty. Raises ``Forbidden``."""
        if name in await self._all():
            async for key in self._engine.places.of_pool(name):
                raise Forbidden(
                    f"Pool {name} still has queues, such as {key.name} of project {key.project}. Drain it first: "
                    f"sukkal pool drain {name}"
                )
        await self._engine.delete_record(pool_key(name), now_ms=self._now_ms())
        await self._engine.refresh()

    async def _keep(self, pool: Pool, present: Pool | None) -> None:
        if present is not None and present.uri != pool.uri:
            raise InvalidRequest(
                "The `uri` of a pool cannot be changed, since its queues are there. Make another pool and drain this."
            )
        if present is None:
            await self._store(replace(pool, identity=await self._checked_identity(pool)))
        else:
            await self._store(replace(pool, draining=present.draining, identity=present.identity))

    async def _checked_identity(self, pool: Pool) -> str:
        others = await self._all()
        if len(others) >= _POOLS_MAX:
            raise InvalidRequest(f"There are {_POOLS_MAX} pools already, which is the most.")
        if self._is_taken(pool.uri, [each.uri for each in others.values()]):
            raise InvalidRequest("The `uri` is that of the store or of another pool.")
        try:
            identity = await self._connects(pool)
        except SettingsError as error:
            raise InvalidRequest(str(error)) from None
        if await self._identity(self._engine) == identity:
            raise InvalidRequest("The `uri` is that of the store, by another name.")
        for other in others.values():
            if await self._identity_of(other) == identity:
                raise InvalidRequest(f"The `uri` is that of the pool {other.name}, by another name.")
        return identity

    async def _identity_of(self, pool: Pool) -> str | None:
        """Return whose data a pool has, ``None`` if that was not asked when it was made and it does not answer now."""
        member = self._engine.members.get(pool.name)
        if pool.identity or member is None or member.down:
            return pool.identity or None
        try:
            return await self._identity(member.engine)
        except StoreUnavailable:
            return None

    async def _store(self, pool: Pool) -> None:
        value = msgspec.json.encode(replace(pool, name="", created_ms=0))
        await self._engine.put_record(pool_key(pool.name), value, now_ms=self._now_ms())
        await self._engine.refresh()

    async def _pool(self, name: str) -> Pool:
        found = (await self._all()).get(name)
        if found is None:
            raise NotFound(f"Pool {name} does not exist")
        return found

    async def _all(self) -> dict[str, Pool]:
        records = all_records(self._engine, POOLS, project=HOME, now_ms=self._now_ms())
        return {record.key.name: decoded(record, Pool) async for record in records}

    async def _count(self, name: str) -> int:
        return len([key async for key in self._engine.places.of_pool(name)])


def checked_name(name: str, what: str) -> str:
    """Return the name of a pool or a flavor. Raises ``InvalidRequest``."""
    if not is_queue_name(name):
        raise InvalidRequest(
            f"The name of a {what} has 1 to {limits.QUEUE_NAME_CHARS_MAX} letters, digits, dots, underscores, hyphens."
        )
    return name


def _read(document: Mapping[str, Any], kind: type[Any]) -> Any:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise InvalidBody(
            f"{error}. A pool has `uri`, `weight` (0 to {_WEIGHT_MAX}) and, if wanted, `flavor` and `options`."
        ) from None

"""Flavors: choices of pools by names that tenants can use."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import InvalidBody, InvalidRequest, NotFound
from sukkal.model import Queue
from sukkal.pools import Flavor, PooledEngine
from sukkal.pools.choosing import pools_of
from sukkal.pools.definitions import FLAVORS, HOME, decoded, flavor_key
from sukkal.service.names import is_queue_name
from sukkal.service.pages import check_limit
from sukkal.service.pools import LIMIT_REFUSAL, checked_name

__all__ = ["CAPABILITIES", "Flavors"]

CAPABILITIES: Final = ("FIFO", "CLAIMS", "AOD", "HIGH_THROUGHPUT")
"""What queues of every pool can do."""

_Names = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=100)]


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body that makes, replaces or changes a flavor."""

    pool_list: _Names | None = None
    capabilities: dict[str, Any] | None = None


class Flavors:
    """The operations on flavors. One that they return has all its pools, also those that name it themselves."""

    def __init__(self, engine: PooledEngine, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._now_ms = now_ms

    async def list(self, *, marker: str | None, limit: int | None) -> list[Flavor]:
        """Return a page of flavors by name."""
        most = check_limit(limit, limits.PAGE_MAX, LIMIT_REFUSAL)
        after = (HOME, marker or "")
        page = await self._engine.list_records(FLAVORS, HOME, after=after, limit=most, now_ms=self._now_ms())
        return [self._whole(decoded(record, Flavor)) for record in page.records]

    async def get(self, name: str) -> Flavor:
        """Return a flavor. Raises ``NotFound``."""
        return self._whole(await self._flavor(name))

    async def put(self, name: str, document: Mapping[str, Any]) -> None:
        """Make or replace a flavor."""
        wanted = _read(document)
        checked_name(name, "flavor")
        if wanted.pool_list is None:
            raise InvalidBody("`pool_list` is missing: the names of one or more pools.")
        await self._store(Flavor(name=name, pools=wanted.pool_list, capabilities=wanted.capabilities))

    async def change(self, name: str, document: Mapping[str, Any]) -> None:
        """Change some of a flavor. Raises ``NotFound``."""
        wanted = _read(document)
        if wanted.pool_list is None:
            raise InvalidBody("`pool_list` is missing: the names of one or more pools.")
        present = await self._flavor(name)
        capabilities = present.capabilities if wanted.capabilities is None else wanted.capabilities
        await self._store(replace(present, pools=wanted.pool_list, capabilities=capabilities))

    async def delete(self, name: str) -> None:
        """Forget a flavor; queues that were made with it stay where they are."""
        await self._engine.delete_record(flavor_key(name), now_ms=self._now_ms())

    async def check(self, metadata: Mapping[str, Any], queue: Queue | None) -> None:
        """Refuse metadata that name a flavor which does not exist, or which is not that of the queue as it is."""
        flavor = metadata.get("_flavor")
        if queue is not None:
            if flavor != queue.metadata.get("_flavor"):
                raise InvalidRequest("The `_flavor` of a queue cannot be changed: make another queue.")
            return
        if not flavor:
            return
        if not isinstance(flavor, str) or await self._find(flavor) is None:
            raise InvalidRequest(f"Flavor {flavor} does not exist")

    async def _store(self, flavor: Flavor) -> None:
        known = {member.name for member in self._engine.members}
        if unknown := [name for name in flavor.pools if name not in known]:
            raise InvalidRequest(f"The pools {', '.join(unknown)} in `pool_list` do not exist.")
        value = msgspec.json.encode(replace(flavor, name=""))
        await self._engine.put_record(flavor_key(flavor.name), value, now_ms=self._now_ms())

    async def _flavor(self, name: str) -> Flavor:
        found = await self._find(name)
        if found is None:
            raise NotFound(f"Flavor {name} does not exist")
        return found

    async def _find(self, name: str) -> Flavor | None:
        if not is_queue_name(name):
            return None  # Nor does it have a flavor's name.
        record = await self._engine.get_record(flavor_key(name), now_ms=self._now_ms())
        return None if record is None else decoded(record, Flavor)

    def _whole(self, flavor: Flavor) -> Flavor:
        return replace(flavor, pools=tuple(pools_of(flavor, self._engine.members)))


def _read(document: Mapping[str, Any]) -> _Document:
    try:
        return msgspec.convert(document, _Document)
    except msgspec.ValidationError as error:
        raise InvalidBody(f"{error}. A flavor has a `pool_list` and, if wanted, `capabilities`.") from None

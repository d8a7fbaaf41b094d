"""Pools and flavors as operators define them, and the records that keep them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, TypeVar

import msgspec

from sukkal import limits
from sukkal.model import Record, RecordKey
from sukkal.records import Records

__all__ = ["FLAVORS", "HOME", "POOLS", "Flavor", "Pool", "all_records", "decoded", "flavor_key", "masked", "pool_key"]

HOME: Final = ""
"""The name, which no pool can have, of the store's own engine as a place of queues."""

POOLS: Final = "storage-pool"
FLAVORS: Final = "storage-flavor"

S = TypeVar("S", bound=msgspec.Struct)


class Pool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An engine for queues: where its data are, and the weight by which it gets new queues.

    A pool that is ``draining`` gets none, and gives its queues to the others. ``identity`` is that of its data, if the
    version of us that made it asked for it.
    """

    uri: str
    weight: int
    flavor: str | None = None
    options: Mapping[str, Any] = {}
    draining: bool = False
    identity: str = ""
    name: str = ""
    created_ms: int = 0


class Flavor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A choice of pools by a name that tenants give a queue."""

    pools: tuple[str, ...]
    capabilities: Mapping[str, Any] | None = None
    name: str = ""


def pool_key(name: str) -> RecordKey:
    """Return the key of a pool's record."""
    return RecordKey(POOLS, "", name)


def flavor_key(name: str) -> RecordKey:
    """Return the key of a flavor's record."""
    return RecordKey(FLAVORS, "", name)


def decoded(record: Record, kind: type[S]) -> S:
    """Return what a record of a pool or a flavor says."""
    found: dict[str, Any] = msgspec.json.decode(record.value)
    found["name"] = record.key.name
    if kind is Pool:
        found["created_ms"] = record.created_ms
    return msgspec.convert(found, kind)


async def all_records(
    records: Records,
    kind: str,
    *,
    now_ms: int,
    project: str | None = None,
    at_once: int = limits.PAGE_MAX,
) -> AsyncIterator[Record]:
    """Yield the records of a kind, read page by page."""
    place: tuple[str, str] | None = ("", "")
    while place is not None:
        page = await records.list_records(kind, project, after=place, limit=at_once, now_ms=now_ms)
        for record in page.records:
            yield record
        place = page.next


def masked(uri: str) -> str:
    """Return a URI with its password, and all that might be one, as ``***``."""
    scheme, separator, rest = uri.partition("://")
    place, question, query = rest.partition("?")
    authority, slash, path = place.partition("/")
    user, at, host = authority.rpartition("@")
    if ":" in user:
        user = user.partition(":")[0] + ":***"
    parts = [part if "password" not in part.lower() else part.partition("=")[0] + "=***" for part in query.split("&")]
    return f"{scheme}{separator}{user}{at}{host}{slash}{path}{question}{'&'.join(parts)}"

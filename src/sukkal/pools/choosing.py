"""Which pool a new queue gets: one of its flavor's, in proportion to their weights."""

from collections.abc import Callable, Sequence
from itertools import accumulate

from sukkal.errors import InvalidRequest, StoreUnavailable
from sukkal.pools.definitions import HOME, Flavor, decoded, flavor_key
from sukkal.pools.members import Member, Members
from sukkal.records import Records

__all__ = ["Choice", "pools_of"]


class Choice:
    """Chooses pools. ``draw`` gives a number from 0 up to, not including, 1.

    A pool takes queues when it has been there for ``settle_ms``, so that all nodes know it.
    """

    def __init__(
        self, records: Records, members: Members, draw: Callable[[], float], now_ms: Callable[[], int], settle_ms: int
    ) -> None:
        self._records = records
        self._members = members
        self._draw = draw
        self._now_ms = now_ms
        self._settle_ms = settle_ms

    async def choose(self, flavor: str | None) -> str:
        """Return the pool for a new queue. Raises ``InvalidRequest`` for a flavor that does not exist."""
        named = None if flavor is None else await self.candidates(flavor)
        taking = [each for each in self._members if self._takes(each) and (named is None or each.name in named)]
        up = [each for each in taking if not each.down]
        if up:
            return self._drawn(up)
        if taking or named is not None:
            raise StoreUnavailable("No pool takes new queues at the moment. Please try again in a few seconds.")
        return HOME

    async def candidates(self, flavor: str) -> frozenset[str]:
        """Return the pools of a flavor."""
        record = await self._records.get_record(flavor_key(flavor), now_ms=self._now_ms())
        if record is None:
            raise InvalidRequest(f"Flavor {flavor} does not exist")
        return frozenset(pools_of(decoded(record, Flavor), self._members))

    def _takes(self, member: Member) -> bool:
        pool = member.pool
        return pool.weight > 0 and not pool.draining and self._now_ms() >= pool.created_ms + self._settle_ms

    def _drawn(self, members: Sequence[Member]) -> str:
        ends = list(accumulate(each.pool.weight for each in members))
        at = self._draw() * ends[-1]
        return next(each.name for each, end in zip(members, ends, strict=True) if at < end)


def pools_of(flavor: Flavor, members: Members) -> list[str]:
    """Return the names of the pools of a flavor: those that it names, and those that name it."""
    return sorted({*flavor.pools, *(each.name for each in members if each.pool.flavor == flavor.name)})

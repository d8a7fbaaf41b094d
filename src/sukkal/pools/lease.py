"""Who of many nodes does what only one may do at a time."""

from collections.abc import Callable
from typing import Final

from sukkal.errors import StoreUnavailable
from sukkal.model import RecordKey
from sukkal.records import Records

__all__ = ["LEASES", "Lease"]

LEASES: Final = "lease"
_LASTS_MS: Final = 60_000
_KEPT_MS: Final = 10_000


class Lease:
    """A right that one holder has, for a minute after it was kept last."""

    def __init__(self, records: Records, name: str, holder: str, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._key = RecordKey(LEASES, "", name)
        self._holder = holder.encode()
        self._now_ms = now_ms
        self._kept_ms = 0

    async def keep(self) -> bool:
        """Take the right or keep it for longer, and tell whether this holder has it."""
        now_ms = self._now_ms()
        record = await self._records.get_record(self._key, now_ms=now_ms)
        if record is not None and record.value != self._holder:
            return False
        old = None if record is None else self._holder
        kept = await self._records.swap_record(
            self._key, old, self._holder, now_ms=now_ms, expires_ms=now_ms + _LASTS_MS
        )
        self._kept_ms = now_ms if kept else 0
        return kept

    async def go_on(self) -> None:
        """Keep the right now and then while something lasts. Raises ``StoreUnavailable`` if somebody else has it."""
        if self._now_ms() - self._kept_ms >= _KEPT_MS and not await self.keep():
            raise StoreUnavailable("Somebody else does it now.")

    async def give_back(self) -> None:
        """Let somebody else have it at once."""
        await self._records.swap_record(self._key, self._holder, None, now_ms=self._now_ms())

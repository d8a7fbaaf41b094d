"""Who a database is, by whatever name it is called: a record that is made once, and stays with its data."""

from collections.abc import Callable
from typing import Final

from sukkal.errors import StoreUnavailable
from sukkal.model import RecordKey
from sukkal.records import Records

__all__ = ["IDENTITY", "identity_of"]

IDENTITY: Final = "identity"
_KEY: Final = RecordKey(IDENTITY, "", "identity")


async def identity_of(records: Records, new_id: Callable[[], str], *, now_ms: int) -> str:
    """Return the identity of the engine that keeps these records; it is given one if it has none yet."""
    await records.swap_record(_KEY, None, new_id().encode(), now_ms=now_ms)
    record = await records.get_record(_KEY, now_ms=now_ms)
    if record is None:
        raise StoreUnavailable("The identity of the store was deleted a moment ago. Please try again.")
    return record.value.decode()

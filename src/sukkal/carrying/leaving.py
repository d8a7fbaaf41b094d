"""Cutting a whole store into parcels."""

from collections.abc import AsyncIterator
from typing import Final

from sukkal.carrying.counting import Counting
from sukkal.carrying.parcels import Beginning, Ending, Holding, Keeping, Parcel, Particulars, Tally
from sukkal.errors import StartupError
from sukkal.model import QueueKey, RecordKey
from sukkal.pools.begun import MOVES
from sukkal.pools.identity import IDENTITY
from sukkal.pools.lease import LEASES
from sukkal.whole import Source, Whole

__all__ = ["ARRIVED", "UNFINISHED", "leaving", "queues_of", "records_of", "tally"]

UNFINISHED: Final = RecordKey("arriving", "", "store")
"""Stands in a store to which not everything has come yet."""
ARRIVED: Final = RecordKey("arrived", "", "store")
"""Stands in one to which everything has come, and says where from."""
_PAGE: Final = 200
_STAYING: Final = frozenset({LEASES, IDENTITY, UNFINISHED.kind, ARRIVED.kind})
"""Kinds of records that say who a store is, or who does something there just now: that is another one elsewhere."""


async def leaving(source: Source, as_of_ms: int, *, behind: QueueKey | None = None) -> AsyncIterator[Parcel]:
    """Yield all that is in a store, but for the queues up to one. Raises ``StartupError`` if it cannot be carried."""
    await _check(source, as_of_ms)
    yield Beginning(as_of_ms=as_of_ms, last=await source.last_number())
    async for key in queues_of(source, behind):
        async for parcel in _queue(source, key, as_of_ms):
            yield parcel
    async for kept in records_of(source, as_of_ms):
        yield kept


async def tally(source: Source, key: QueueKey, as_of_ms: int) -> Tally | None:
    """Return what is in a queue; ``None`` if there is no such queue, or its life is over."""
    async for parcel in _queue(source, key, as_of_ms):
        if isinstance(parcel, Ending):
            return parcel.tally
    return None


async def queues_of(source: Whole, behind: QueueKey | None = None) -> AsyncIterator[QueueKey]:
    """Yield all queues of a store, behind one if it is given."""
    page = await source.all_queues(behind, limit=_PAGE)
    while page:
        for key in page:
            yield key
        page = await source.all_queues(page[-1], limit=_PAGE) if len(page) == _PAGE else ()


async def records_of(source: Whole, as_of_ms: int) -> AsyncIterator[Keeping]:
    """Yield the records of a store that are of use elsewhere."""
    after: RecordKey | None = None
    while True:
        page = await source.all_records(after, limit=_PAGE, now_ms=as_of_ms)
        going = tuple([each for each in page if each.key.kind not in _STAYING])
        if going:
            yield Keeping(going)
        if len(page) < _PAGE:
            return
        after = page[-1].key


async def _queue(source: Source, key: QueueKey, as_of_ms: int) -> AsyncIterator[Parcel]:
    frame = await source.frame(key)
    # A backlog whose subscription has ended is only there to be swept, together with it.
    if frame is None or (frame.ends_ms is not None and frame.ends_ms <= as_of_ms):
        return
    counting, sequence = Counting(frame, as_of_ms), -1
    while page := await source.stored_after(key, sequence, limit=_PAGE, now_ms=as_of_ms):
        counting.hold(page)
        yield Holding(frame, page)
        sequence = page[-1].message.sequence
        if len(page) < _PAGE:
            break
    after: tuple[str, str] | None = ("", "")
    while after is not None:
        details = await source.details(key, after, limit=_PAGE, now_ms=as_of_ms)
        counting.detail(details)
        if details.claims or details.acts or details.subscriptions:
            yield Particulars(frame, details)
        after = details.next
    yield Ending(frame, counting.done())


async def _check(source: Source, as_of_ms: int) -> None:
    async for kept in _kinds(source, as_of_ms):
        if kept == UNFINISHED.kind:
            raise StartupError("Not everything has come to this store yet. Finish what fills it first.")
        if kept == MOVES:
            raise StartupError(
                "A queue is just being moved from one pool to another. Let the service finish that first: "
                "`sukkal pool show` tells how far it is."
            )


async def _kinds(source: Whole, as_of_ms: int) -> AsyncIterator[str]:
    """Yield the kinds of records that there are."""
    after: RecordKey | None = None
    while page := await source.all_records(after, limit=1, now_ms=as_of_ms):
        kind = page[0].key.kind
        yield kind
        # Behind all records of that kind.
        after = RecordKey(f"{kind}\x01", "", "")

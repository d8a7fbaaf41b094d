"""Writing a store into a file, and filling an empty one from it."""

from collections.abc import Callable
from typing import IO

from sukkal.carrying.arriving import Arriving, Progress
from sukkal.carrying.comparing import Comparing
from sukkal.carrying.file import Reading, Writing
from sukkal.carrying.leaving import leaving
from sukkal.carrying.parcels import Ending, Keeping
from sukkal.errors import StartupError
from sukkal.whole import Source, Target

__all__ = ["back_up", "restore"]


async def back_up(
    source: Source, file: IO[bytes], *, written_by: str, now_ms: int, tell: Callable[[Progress], None]
) -> Progress:
    """Write all that is in a store into a file. ``tell`` hears how far it is."""
    writing, queues, messages, records = Writing(file, written_by=written_by), 0, 0, 0
    async for parcel in leaving(source, now_ms):
        writing.add(parcel)
        if isinstance(parcel, Ending):
            queues, messages = queues + 1, messages + parcel.tally.messages
            tell(Progress(queues, messages, records, parcel.frame.queue.key))
        elif isinstance(parcel, Keeping):
            records += len(parcel.records)
    writing.finish()
    return Progress(queues, messages, records)


async def restore(reading: Reading, target: Target, *, now_ms: int, tell: Callable[[Progress, bool], None]) -> Progress:
    """Fill an empty store from a file that was checked, or go on with it, and compare the two.

    Raises ``StartupError``.
    """
    origin = f"the backup {reading.digest[:16]}"
    arriving = Arriving(target, origin, now_ms=now_ms, tell=lambda progress: tell(progress, False))
    if not await arriving.open():
        return arriving.progress
    for parcel in reading.parcels():
        await arriving.take(parcel)
    await arriving.finish()
    tell(arriving.progress, True)
    comparing = Comparing(target, arriving.as_of_ms)
    for parcel in reading.parcels():
        await comparing.parcel(parcel)
    await comparing.finish()
    if comparing.differences:
        raise StartupError("What has arrived differs from the backup: " + "; ".join(comparing.differences) + ".")
    await arriving.close()
    return arriving.progress

"""Looking whether what has arrived is what there was."""

from hashlib import blake2b
from typing import Final

import msgspec

from sukkal.carrying.leaving import queues_of, records_of, tally
from sukkal.carrying.parcels import Ending, Keeping, Parcel, Tally
from sukkal.model import QueueKey
from sukkal.whole import Source

__all__ = ["Comparing"]

_SHOWN_MAX: Final = 20
_BYTES: Final = 16


class Comparing:
    """Compares queue by queue, then the records; ``differences`` are the first that were found."""

    def __init__(self, target: Source, as_of_ms: int) -> None:
        self._target = target
        self._as_of_ms = as_of_ms
        self._records = blake2b(digest_size=_BYTES)
        self._queues = 0
        self.differences: list[str] = []

    async def queue(self, key: QueueKey, there: Tally) -> None:
        """Compare a queue."""
        self._queues += 1
        here = await tally(self._target, key, self._as_of_ms)
        if here != there:
            counts = "nothing" if here is None else f"{here.messages} messages"
            self._note(
                f"{key.kind} {key.name!r} of project {key.project!r}: {there.messages} messages, arrived {counts}"
            )

    async def parcel(self, parcel: Parcel) -> None:
        """Compare what a parcel tells of, if it is the end of something."""
        match parcel:
            case Ending(frame, there):
                await self.queue(frame.queue.key, there)
            case Keeping(records):
                for each in records:
                    self._records.update(msgspec.msgpack.encode(each))

    async def finish(self) -> None:
        """Compare what is left when all was told of."""
        arrived = blake2b(digest_size=_BYTES)
        async for kept in records_of(self._target, self._as_of_ms):
            for each in kept.records:
                arrived.update(msgspec.msgpack.encode(each))
        if arrived.digest() != self._records.digest():
            self._note("the control records differ")
        count = 0
        async for _ in queues_of(self._target):
            count += 1
        if count != self._queues:
            self._note(f"{self._queues} queues, arrived {count}")

    def _note(self, difference: str) -> None:
        if len(self.differences) < _SHOWN_MAX:
            self.differences.append(difference)

"""The calls that move whole queues."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from sukkal.engines.postgresql import followed, moving
from sukkal.engines.postgresql.record_calls import CONTROL, RecordsInPostgresql
from sukkal.errors import QueueMoved
from sukkal.model import QueueKey
from sukkal.moving import Changes, Details, Frame, Stored

__all__ = ["MovingInPostgresql"]


class MovingInPostgresql(RecordsInPostgresql):
    """The part of the engine that is the source or the target of a move. See ``sukkal.moving``."""

    _holding: Counter[QueueKey]
    """Queues that are just being held: what is asked for later than that is refused, whichever lane is quicker."""

    async def frame(self, key: QueueKey) -> Frame | None:
        """Return a queue without what it holds."""
        return await followed.frame(self._reads, key)

    async def follow(self, key: QueueKey, *, token: int = 0) -> None:
        """Note from now on which messages of a queue change."""
        await self._step(key, partial(moving.follow, key=key, token=token))

    async def stored_after(
        self, key: QueueKey, sequence: int, *, limit: int, now_ms: int, bytes_max: int | None = None
    ) -> tuple[Stored, ...]:
        """Return messages behind a sequence."""
        return await followed.stored_after(self._reads, key, sequence, limit=limit, now_ms=now_ms, bytes_max=bytes_max)

    async def changes(
        self, key: QueueKey, after: int, *, limit: int, now_ms: int, bytes_max: int | None = None
    ) -> Changes:
        """Return messages that have changed since the queue was followed."""
        return await followed.changes(self._reads, key, after, limit=limit, now_ms=now_ms, bytes_max=bytes_max)

    async def details(self, key: QueueKey, after: tuple[str, str], *, limit: int, now_ms: int) -> Details:
        """Return claims, acts and subscriptions of a queue."""
        return await followed.details(self._reads, key, after, limit=limit, now_ms=now_ms)

    async def hold(self, keys: Sequence[QueueKey], *, held: bool, token: int = 0) -> None:
        """Refuse writes to these queues, or take them again."""
        if not held:
            await self._step(_lane(keys), partial(moving.let_go, keys=keys, token=token))
            return
        self._holding.update(keys)
        try:
            await self._step(_lane(keys), partial(moving.hold, keys=keys, token=token))
        finally:
            self._holding -= Counter(keys)

    async def give_up(self, keys: Sequence[QueueKey], *, until_ms: int, token: int = 0) -> None:
        """Remove these queues and leave markers."""
        await self._step(_lane(keys), partial(moving.give_up, keys=keys, until_ms=until_ms, token=token))

    async def admit(self, keys: Sequence[QueueKey], *, above: int) -> None:
        """Remove markers of these queues, and give only greater numbers from now on."""
        await self._step(_lane(keys), partial(moving.admit, keys=keys, above=above))

    async def stage(
        self,
        frame: Frame,
        *,
        stored: Sequence[Stored] = (),
        gone: Sequence[str] = (),
        details: Details | None = None,
        now_ms: int,
        token: int = 0,
    ) -> None:
        """Keep a queue for later, or add to what is kept."""
        step = partial(moving.stage, frame=frame, stored=stored, gone=gone, details=details, token=token)
        await self._step(frame.queue.key, step)

    async def drop_staged(self, keys: Sequence[QueueKey], *, token: int = 0) -> None:
        """Forget what was staged of these queues."""
        await self._step(_lane(keys), partial(moving.drop_staged, keys=keys, token=token))

    async def open_staged(self, keys: Sequence[QueueKey], *, now_ms: int, token: int = 0) -> None:
        """Let those of these queues that are staged be seen."""
        await self._step(_lane(keys), partial(moving.open_staged, keys=keys, token=token))

    def _writing(self, keys: Iterable[QueueKey]) -> None:
        """Refuse to write to queues that are just being held."""
        if self._holding and any(key in self._holding for key in keys):
            refused = QueueMoved("The queue is being moved.")
            refused.held = True
            raise refused


def _lane(keys: Sequence[QueueKey]) -> QueueKey:
    """Return the key whose lane a call takes: behind what was asked before of the first of its queues."""
    return keys[0] if keys else CONTROL

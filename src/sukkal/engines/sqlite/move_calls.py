"""The calls that move whole queues."""

from asyncio import Future
from collections.abc import Callable, Sequence
from functools import partial

from sukkal.engines.holds import Marker, check_give_up, check_hold
from sukkal.engines.sqlite import moving
from sukkal.engines.sqlite.catalogue import Catalogue, Entry
from sukkal.engines.sqlite.markers import Markers
from sukkal.engines.sqlite.record_calls import RecordsInSqlite
from sukkal.engines.sqlite.rows import fetch
from sukkal.engines.sqlite.statements import SQL
from sukkal.errors import SukkalError
from sukkal.model import QueueKey
from sukkal.moving import Changes, Details, Frame, Stored

__all__ = ["MovingInSqlite"]


class MovingInSqlite(RecordsInSqlite):
    """The part of the engine that is the source or the target of a move. See ``sukkal.moving``."""

    _catalogue: Catalogue
    _markers: Markers

    async def frame(self, key: QueueKey) -> Frame | None:
        """Return a queue without what it holds."""
        entry = self._entry(key)
        if entry is None:
            return None
        return Frame(
            queue=entry.queue,
            epoch=entry.number,
            last=self._catalogue.last,
            ends_ms=entry.ends_ms,
            token=entry.token,
        )

    async def follow(self, key: QueueKey, *, token: int = 0) -> None:
        """Note from now on which messages of a queue change."""
        await self._commits.run(lambda: moving.follow(self._database.writer, self._catalogue, key, token))

    async def stored_after(
        self, key: QueueKey, sequence: int, *, limit: int, now_ms: int, bytes_max: int | None = None
    ) -> tuple[Stored, ...]:
        """Return messages behind a sequence."""
        entry, reader = self._entry(key), self._database.reader
        if entry is None:
            return ()
        where = (entry.number, sequence)
        return self.read(lambda: moving.stored_after(reader, *where, limit=limit, now_ms=now_ms, bytes_max=bytes_max))

    async def changes(
        self, key: QueueKey, after: int, *, limit: int, now_ms: int, bytes_max: int | None = None
    ) -> Changes:
        """Return messages that have changed since the queue was followed."""
        entry, reader = self._entry(key), self._database.reader
        if entry is None:
            return Changes()
        where = (entry.number, after)
        return self.read(lambda: moving.changes(reader, *where, limit=limit, now_ms=now_ms, bytes_max=bytes_max))

    async def details(self, key: QueueKey, after: tuple[str, str], *, limit: int, now_ms: int) -> Details:
        """Return claims, acts and subscriptions of a queue."""
        entry, reader = self._entry(key), self._database.reader
        if entry is None:
            return Details()
        return self.read(lambda: moving.details(reader, entry, after, limit=limit, now_ms=now_ms))

    async def hold(self, keys: Sequence[QueueKey], *, held: bool, token: int = 0) -> None:
        """Refuse writes to these queues, or take them again."""
        reader, writer, marker = self._database.reader, self._database.writer, Marker(None, token)
        if not held:
            await self._marked(lambda: moving.let_go(writer, self._catalogue, keys, token))
            self._markers.let_go(keys, token)
            return
        for key in keys:
            entry = self._entry(key)
            follower = 0 if entry is None else self.read(partial(moving.follower, reader, entry.number))
            check_hold(self._markers.get(key), token, follower=follower)
        self._markers.put(keys, marker)
        await self._marked(lambda: moving.put_markers(writer, keys, marker))

    async def give_up(self, keys: Sequence[QueueKey], *, until_ms: int, token: int = 0) -> None:
        """Remove these queues and leave markers."""
        marker = Marker(until_ms, token)
        given = [
            key for key in keys if check_give_up(self._markers.get(key), token, there=self._entry(key) is not None)
        ]
        self._markers.put(given, marker)
        await self._marked(lambda: moving.give_up(self._database.writer, self._catalogue, given, marker))

    async def admit(self, keys: Sequence[QueueKey], *, above: int) -> None:
        """Remove markers of these queues, and give only greater numbers from now on."""

        def step() -> None:
            self._catalogue.raise_numbers(above)
            self._unmark(keys)

        await self._marked(step)
        self._markers.remove(keys)

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
        writer, catalogue = self._database.writer, self._catalogue
        staging: Future[None] = self._commits.run(
            lambda: moving.stage(writer, catalogue, frame, stored, gone, details, now_ms, token)
        )
        await staging

    async def drop_staged(self, keys: Sequence[QueueKey], *, token: int = 0) -> None:
        """Forget what was staged of these queues."""
        await self._commits.run(lambda: moving.drop_staged(self._database.writer, self._catalogue, keys, token))

    async def open_staged(self, keys: Sequence[QueueKey], *, now_ms: int, token: int = 0) -> None:
        """Let those of these queues that are staged be seen."""

        def step() -> None:
            moving.open_staged(self._database.writer, self._catalogue, keys, token)
            self._unmark(keys)

        await self._marked(step)
        self._markers.remove(keys)

    async def sweep_markers(self, now_ms: int) -> None:
        """Remove the markers whose time has come."""
        gone = await self._commits.run(lambda: fetch(self._database.writer, SQL.sweep_markers, (now_ms,)))
        self._markers.remove([QueueKey(*row) for row in gone])

    async def _marked(self, step: Callable[[], None]) -> None:
        """Run a step whose markers are known already, or are to be read again if it fails."""
        try:
            await self._commits.run(step)
        except SukkalError:
            self.read(self._markers.load)
            raise

    def _unmark(self, keys: Sequence[QueueKey]) -> None:
        self._database.writer.executemany(SQL.delete_marker, [(key.project, key.kind, key.name) for key in keys])

    def _entry(self, key: QueueKey) -> Entry | None:
        return self.read(lambda: self._catalogue.find(key))

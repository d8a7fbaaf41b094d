"""The engine: each call is one step of a transaction, or one read of committed data."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec
from msgspec.structs import replace

from sukkal.engines.commits import Commits
from sukkal.engines.sqlite import claiming, publishing, reading, records, repetitions, sweeping
from sukkal.engines.sqlite import subscriptions as subscribing
from sukkal.engines.sqlite.catalogue import Catalogue
from sukkal.engines.sqlite.checkpoints import Checkpoints
from sukkal.engines.sqlite.database import Database
from sukkal.engines.sqlite.idle import is_idle
from sukkal.engines.sqlite.markers import Markers
from sukkal.engines.sqlite.whole_calls import WholeInSqlite
from sukkal.engines.sqlite.writer import GroupCommit
from sukkal.errors import RevisionConflict
from sukkal.model import (
    Claim,
    Deleted,
    HeldClaim,
    Idle,
    Message,
    NewClaim,
    Once,
    Page,
    Position,
    Post,
    Published,
    Queue,
    QueueKey,
    QueueKind,
    QueueList,
    Settled,
    Settlement,
    Stats,
    Subscription,
    Swept,
    Usage,
    View,
)

__all__ = ["SqliteEngine"]

T = TypeVar("T")


class SqliteEngine(WholeInSqlite):
    """Keeps all data in one directory, which it holds alone while it is started. See ``sukkal.store.Engine``."""

    def __init__(self, directory: Path, commits: Commits | None = None) -> None:
        self._database = Database(directory)
        self._measures = commits or Commits()
        self._catalogue: Catalogue
        self._commits: GroupCommit
        self._counting = asyncio.Lock()

    async def start(self) -> None:
        """Open and migrate the directory. Raises ``DataInUse``, ``DataTooNew``, ``StartupError``."""
        database = self._database
        database.open()
        self._catalogue = Catalogue(database.writer, database.reader)
        self._markers = Markers(database.reader)
        self._commits = GroupCommit(
            database.writer,
            Checkpoints(database.writer, database.checkpointer),
            self._measures,
            before_commit=self._catalogue.save,
            committed=self._catalogue.commit,
            rolled_back=self._catalogue.roll_back,
        )

    async def close(self) -> None:
        """Finish the writes that were taken, then close the directory."""
        await self._commits.close()
        async with self._counting:
            self._database.close()

    def stalled_ms(self, now_ms: int) -> int:
        """Return for how long writes have been seen waiting without any commit."""
        return self._commits.stalled_ms(now_ms)

    # -- queues

    async def put_queue(
        self, key: QueueKey, metadata: Mapping[str, Any], *, revision: int | None, now_ms: int, gap: bool = False
    ) -> Queue:
        """Create the queue, or replace its metadata."""
        self._markers.writing(key)
        encoded = msgspec.json.encode(metadata)

        def step() -> Queue:
            entry = self._catalogue.present(key)
            if (entry.queue.revision if entry else None) != revision:
                raise RevisionConflict(f"The metadata of queue {key.name} were changed meanwhile. Read them again.")
            if entry is None:
                entry = self._catalogue.create(key, encoded, now_ms)
            else:
                entry = self._catalogue.replace(entry, encoded)
            if gap:
                self._catalogue.removed(entry.number, self._catalogue.next_number())
            return entry.queue

        return await self._commits.run(step)

    async def get_queue(self, key: QueueKey) -> Queue | None:
        """Return the queue, or ``None``."""
        self._markers.reading(key)
        entry = self._catalogue.known(key) or self.read(lambda: self._catalogue.find(key))
        return entry.queue if entry else None

    async def list_queues(
        self, project: str, kind: QueueKind, *, after: str, limit: int, total: bool = False
    ) -> QueueList:
        """Return a page of queues by name."""

        def read(connection: apsw.Connection) -> QueueList:
            return reading.list_queues(connection, project, kind, after=after, limit=limit, total=total)

        if total:
            return await self._read_beside(read)
        return self.read(lambda: read(self._database.reader))

    async def delete_queue(
        self, key: QueueKey, *, contents_only: bool = False, idle: Idle | None = None, now_ms: int = 0
    ) -> bool:
        """Remove the queue or its contents."""
        self._markers.writing(key)
        writer = self._database.writer

        def step() -> bool:
            entry = self._catalogue.present(key)
            if entry is None or not (idle is None or is_idle(writer, self._catalogue, entry, idle, now_ms)):
                return False
            if contents_only:
                self._catalogue.clear(entry)
            else:
                subscribing.remove_queue(writer, self._catalogue, key)
            return True

        return await self._commits.run(step)

    # -- messages

    async def publish(self, posts: Sequence[Post], *, now_ms: int, once: Once | None = None) -> Published:
        """Store messages in all the named queues at once."""
        self._markers.publishing(posts)
        return await self._commits.run(
            lambda: publishing.publish(self._database.writer, self._catalogue, posts, now_ms=now_ms, once=once)
        )

    async def earlier(self, key: QueueKey, acts: Sequence[Once], *, now_ms: int) -> Mapping[str, tuple[str, ...]]:
        """Return the ids of earlier posts."""

        def read(reader: apsw.Connection, queue: int) -> dict[str, tuple[str, ...]]:
            found = {each.key: repetitions.earlier(reader, queue, each, now_ms) for each in acts}
            return {name: ids[0] for name, ids in found.items() if ids is not None}

        return self._read_queue(key, now_ms, read, {})

    async def browse(self, key: QueueKey, *, after: Position | None, limit: int, view: View, now_ms: int) -> Page:
        """Return part of a view of the queue."""
        last = self._catalogue.last
        page = self._read_queue(
            key,
            now_ms,
            lambda reader, queue: reading.browse(
                reader, queue, after=after, limit=limit, view=view, now_ms=now_ms, last=last
            ),
            Page((), None, last=last),
        )
        if not (view.claimed or view.delayed):
            return page
        # Read last, so that it knows of all that went before the page.
        return replace(page, dropped=self.read(lambda: reading.dropped(self._database.reader, key)))

    async def get_messages(self, key: QueueKey, ids: Sequence[str], *, now_ms: int) -> tuple[Message, ...]:
        """Return those of the messages that are live."""
        return self._read_queue(
            key, now_ms, lambda reader, queue: reading.get_messages(reader, queue, ids, now_ms=now_ms), ()
        )

    async def delete_messages(
        self, key: QueueKey, ids: Sequence[str], *, now_ms: int, claimed: bool
    ) -> Mapping[str, Deleted]:
        """Delete messages by id."""
        self._markers.writing(key)
        return await self._commits.run(
            lambda: publishing.delete_messages(
                self._database.writer, self._catalogue, key, ids, now_ms=now_ms, claimed=claimed
            )
        )

    # -- claims

    async def claim(
        self,
        key: QueueKey,
        claim: NewClaim,
        *,
        limit: int,
        now_ms: int,
        max_attempts: int | None = None,
        set_aside: bool = False,
        settle: bool = False,
    ) -> tuple[Message, ...]:
        """Take the first free messages."""
        self._markers.writing(key)
        return await self._commits.run(
            lambda: claiming.claim(
                self._database.writer,
                self._catalogue,
                key,
                claim,
                limit=limit,
                now_ms=now_ms,
                max_attempts=max_attempts,
                set_aside=set_aside,
                settle=settle,
            )
        )

    async def get_claim(self, key: QueueKey, claim_id: str, *, now_ms: int) -> HeldClaim | None:
        """Return a live claim and what it holds."""
        return self._read_queue(
            key, now_ms, lambda reader, queue: reading.get_claim(reader, queue, claim_id, now_ms=now_ms), None
        )

    async def list_claims(self, key: QueueKey, *, after: str, limit: int, now_ms: int) -> tuple[Claim, ...]:
        """Return live claims by id."""
        return self._read_queue(
            key,
            now_ms,
            lambda reader, queue: reading.list_claims(reader, queue, after=after, limit=limit, now_ms=now_ms),
            (),
        )

    async def extend(self, key: QueueKey, claim_id: str, *, ttl_s: int, grace_s: int, now_ms: int) -> None:
        """Begin a live claim's time anew."""
        self._markers.writing(key)
        await self._commits.run(
            lambda: claiming.extend(
                self._database.writer,
                self._catalogue,
                key,
                claim_id,
                ttl_s=ttl_s,
                grace_s=grace_s,
                now_ms=now_ms,
            )
        )

    async def settle(
        self,
        key: QueueKey,
        claim_id: str,
        settlements: Mapping[str, Settlement],
        *,
        now_ms: int,
        rest: Settlement | None = None,
    ) -> Mapping[str, Settled]:
        """Acknowledge or release messages that a live claim holds."""
        self._markers.writing(key)
        return await self._commits.run(
            lambda: claiming.settle(
                self._database.writer, self._catalogue, key, claim_id, settlements, now_ms=now_ms, rest=rest
            )
        )

    # -- subscriptions

    async def put_subscription(self, subscription: Subscription, *, revision: int | None, now_ms: int) -> Subscription:
        """Create or replace a subscription."""
        self._markers.writing(subscription.queue)
        return await self._commits.run(
            lambda: subscribing.put_subscription(
                self._database.writer, self._catalogue, subscription, revision=revision, now_ms=now_ms
            )
        )

    async def list_subscriptions(
        self,
        key: QueueKey,
        *,
        after: str,
        limit: int,
        now_ms: int,
        ids: Sequence[str] | None = None,
        subscriber: str | None = None,
    ) -> tuple[Subscription, ...]:
        """Return live subscriptions."""
        self._markers.reading(key)
        return self.read(
            lambda: subscribing.list_subscriptions(
                self._database.reader,
                self._catalogue,
                key,
                after=after,
                limit=limit,
                now_ms=now_ms,
                ids=ids,
                subscriber=subscriber,
            )
        )

    async def delete_subscription(self, key: QueueKey, subscription_id: str) -> bool:
        """Remove a subscription with its backlog."""
        self._markers.writing(key)
        return await self._commits.run(
            lambda: subscribing.delete_subscription(self._database.writer, self._catalogue, key, subscription_id)
        )

    # -- the whole

    async def stats(self, key: QueueKey, *, now_ms: int) -> Stats:
        """Count the queue's live messages."""
        self._markers.reading(key)
        entry = self.read(lambda: self._catalogue.find_live(key, now_ms))
        if entry is None:
            return Stats()
        return await self._read_beside(lambda counter: reading.stats(counter, entry.number, now_ms=now_ms))

    async def sweep(self, *, now_ms: int, limit: int) -> Swept:
        """Remove some of what can no longer be seen."""
        if self._markers.ended(now_ms):
            await self.sweep_markers(now_ms)
        return await self._commits.run(
            lambda: sweeping.sweep(self._database.writer, self._catalogue, now_ms=now_ms, limit=limit)
        )

    async def due_queues(
        self, *, now_ms: int, limit: int, backlogs: bool = False, after: QueueKey | None = None
    ) -> tuple[QueueKey, ...]:
        """Return queues with set-aside messages that are free to be taken, or backlogs with free ones."""
        reader = self._database.reader
        if not backlogs:
            return self.read(lambda: reading.due_queues(reader, now_ms=now_ms, limit=limit))
        return self.read(
            lambda: subscribing.due_backlogs(reader, self._catalogue, now_ms=now_ms, limit=limit, after=after)
        )

    async def next_due(self, key: QueueKey, *, now_ms: int) -> int | None:
        """Return when the next message of the queue becomes free."""
        return self._read_queue(key, now_ms, lambda reader, queue: reading.next_due(reader, queue, now_ms=now_ms), None)

    # -- accounts

    async def usage(self, project: str, *, now_ms: int) -> Usage:
        """Count what the project keeps."""
        return await self._read_beside(lambda counter: records.usage(counter, project, now_ms=now_ms))

    async def usage_of(self, key: QueueKey, *, now_ms: int) -> Usage:
        """Count what one queue holds."""
        # Most of those that are asked for are empty, which a look tells; counting goes to a thread.
        if self._read_queue(key, now_ms, records.is_empty, missing=True):
            return Usage()
        entry = self.read(lambda: self._catalogue.find_live(key, now_ms))
        if entry is None:
            return Usage()
        return await self._read_beside(lambda counter: records.usage_of(counter, entry.number, now_ms=now_ms))

    # -- how reads are made

    def _read_queue(self, key: QueueKey, now_ms: int, read: Callable[[apsw.Connection, int], T], missing: T) -> T:
        self._markers.reading(key)

        def step() -> T:
            entry = self._catalogue.find_live(key, now_ms)
            if entry is None:
                return missing
            with reading.one_state(self._database.reader):
                return read(self._database.reader, entry.number)

        return self.read(step)

    async def _read_beside(self, read: Callable[[apsw.Connection], T]) -> T:
        """Run a read that may take long in a thread, one at a time."""

        def step() -> T:
            with reading.one_state(self._database.counter):
                return read(self._database.counter)

        async with self._counting:
            return await asyncio.to_thread(self.read, step)

"""The engine: each call joins those that wait in its lane, or is one read of committed data."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sukkal.engines.commits import Commits
from sukkal.engines.postgresql import claiming, managing, publishing, reading, records, repetitions, subscriptions
from sukkal.engines.postgresql.alone import check_served, have_alone
from sukkal.engines.postgresql.database import Connection, Database
from sukkal.engines.postgresql.hints import Hints
from sukkal.engines.postgresql.lanes import Call, Lanes
from sukkal.engines.postgresql.reads import Gathering, Reads
from sukkal.engines.postgresql.record_calls import CONTROL
from sukkal.engines.postgresql.whole_calls import WholeInPostgresql
from sukkal.errors import QueueMoved, StoreUnavailable, SukkalError
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
    Release,
    Settled,
    Settlement,
    Stats,
    Subscription,
    Swept,
    Usage,
    View,
)

__all__ = ["PostgresqlEngine"]

_LANES: Final = 3
_READERS: Final = 4
_CONNECT_S_MAX: Final = 10.0
_STATEMENT_S_MAX: Final = 30.0


class PostgresqlEngine(WholeInPostgresql):
    """Keeps all data in one database, with as many others as there are. See ``sukkal.store.Engine``.

    ``connect_s`` and ``statement_s`` bound how long the server may take, for a connection and for a statement. While it
    is used ``alone`` nobody else can start.
    """

    def __init__(
        self,
        url: str,
        *,
        connect_s: float = _CONNECT_S_MAX,
        statement_s: float = _STATEMENT_S_MAX,
        lanes: int = _LANES,
        commits: Commits | None = None,
        alone: bool = False,
    ) -> None:
        self._commits = commits or Commits()
        self._database = Database(url, connect_s=connect_s, statement_s=statement_s)
        self._lane_count = lanes
        self._hints: Hints | None = None
        self._alone = alone
        self._keeper: Connection | None = None
        self._holding = Counter()
        self._queues: Gathering[QueueKey, Queue | QueueMoved]
        self._rolls: Gathering[subscriptions.Listing, tuple[Subscription, ...] | SukkalError]

    async def start(self) -> None:
        """Bring the schema to this version. Raises ``DataTooNew``, ``StartupError``."""
        await self._database.migrate()
        if self._alone:
            self._keeper = await have_alone(self._database)
        else:
            await check_served(self._database)
        self._reads = Reads(self._database, count=_READERS)
        self._lanes = Lanes(self._database, self._reads, self._commits, count=self._lane_count)
        self._queues = Gathering(partial(reading.get_queues, self._reads))
        self._rolls = Gathering(self._load_rolls)

    async def close(self) -> None:
        """Finish the writes that were taken, then close the connections."""
        if self._hints is not None:
            await self._hints.close()
            self._hints = None
        await self._lanes.close()
        await self._queues.finish()
        await self._rolls.finish()
        await self._reads.close()
        if self._keeper is not None:
            self._keeper.terminate()
            self._keeper = None

    def stalled_ms(self, now_ms: int) -> int:
        """Return for how long writes have been seen waiting without any having been done."""
        return self._lanes.stalled_ms(now_ms)

    def hints(
        self, tell: Callable[[Collection[QueueKey] | None], None], hear: Callable[[bytes], None] | None = None
    ) -> None:
        """Have it told what other nodes put where, and let them know what this one does. See ``Shared``."""
        self._hints = Hints(self._database, tell, hear)

    async def say(self, what: bytes) -> None:
        """Say something to all other nodes."""
        if self._hints is None:
            raise StoreUnavailable("The store is closed.")
        await self._hints.say(what)

    async def clock_ms(self) -> int:
        """Return what time it is at the server."""
        return await reading.clock_ms(self._reads)

    # -- queues

    async def put_queue(
        self, key: QueueKey, metadata: Mapping[str, Any], *, revision: int | None, now_ms: int, gap: bool = False
    ) -> Queue:
        """Create the queue, or replace its metadata."""
        step = partial(managing.put_queue, key=key, metadata=metadata, revision=revision, now_ms=now_ms, gap=gap)
        self._writing([key])
        queue: Queue = await self._step(key, step)
        return queue

    async def get_queue(self, key: QueueKey) -> Queue | None:
        """Return the queue, or ``None``."""
        found = await self._queues.find(key)
        if isinstance(found, QueueMoved):
            raise found
        return found

    async def list_queues(
        self, project: str, kind: QueueKind, *, after: str, limit: int, total: bool = False
    ) -> QueueList:
        """Return a page of queues by name."""
        return await reading.list_queues(self._reads, project, kind, after=after, limit=limit, total=total)

    async def delete_queue(
        self, key: QueueKey, *, contents_only: bool = False, idle: Idle | None = None, now_ms: int = 0
    ) -> bool:
        """Remove the queue or its contents."""
        step = partial(managing.delete_queue, key=key, contents_only=contents_only, idle=idle, now_ms=now_ms)
        self._writing([key])
        return bool(await self._step(key, step))

    # -- messages

    async def publish(self, posts: Sequence[Post], *, now_ms: int, once: Once | None = None) -> Published:
        """Store messages in all the named queues at once."""
        key = posts[0].queue
        self._writing([post.queue for post in posts])
        name = ("once", key, once.key) if once is not None else None
        call = Call(publishing.Publishing(posts, now_ms, once), name, sum([len(post.messages) for post in posts]))
        published: Published = await self._lanes.run(key, publishing.publish, call)
        if self._hints is not None and not published.repeated:
            self._hints.note([post.queue for post in posts])
        return published

    async def earlier(self, key: QueueKey, acts: Sequence[Once], *, now_ms: int) -> Mapping[str, tuple[str, ...]]:
        """Return the ids of earlier posts."""
        return await repetitions.earlier(self._reads, key, acts, now_ms=now_ms)

    async def browse(self, key: QueueKey, *, after: Position | None, limit: int, view: View, now_ms: int) -> Page:
        """Return part of a view of the queue."""
        return await reading.browse(self._reads, key, after=after, limit=limit, view=view, now_ms=now_ms)

    async def get_messages(self, key: QueueKey, ids: Sequence[str], *, now_ms: int) -> tuple[Message, ...]:
        """Return those of the messages that are live."""
        return await reading.get_messages(self._reads, key, ids, now_ms=now_ms)

    async def delete_messages(
        self, key: QueueKey, ids: Sequence[str], *, now_ms: int, claimed: bool
    ) -> Mapping[str, Deleted]:
        """Delete messages by id."""
        self._writing([key])
        asked = publishing.Deleting(key, tuple(dict.fromkeys(ids)), now_ms, claimed)
        deleted: Mapping[str, Deleted] = await self._lanes.run(
            key, publishing.delete_messages, Call(asked, rows=len(asked.ids))
        )
        return deleted

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
        self._writing([key])
        asked = claiming.Claiming(key, claim, limit, now_ms, max_attempts, set_aside, settle)
        taken: tuple[Message, ...] = await self._lanes.run(key, claiming.claim, Call(asked, rows=limit))
        return taken

    async def get_claim(self, key: QueueKey, claim_id: str, *, now_ms: int) -> HeldClaim | None:
        """Return a live claim and what it holds."""
        return await reading.get_claim(self._reads, key, claim_id, now_ms=now_ms)

    async def list_claims(self, key: QueueKey, *, after: str, limit: int, now_ms: int) -> tuple[Claim, ...]:
        """Return live claims by id."""
        return await reading.list_claims(self._reads, key, after=after, limit=limit, now_ms=now_ms)

    async def extend(self, key: QueueKey, claim_id: str, *, ttl_s: int, grace_s: int, now_ms: int) -> None:
        """Begin a live claim's time anew."""
        self._writing([key])
        asked = claiming.Extending(key, claim_id, ttl_s, grace_s, now_ms)
        await self._lanes.run(key, claiming.extend, Call(asked, ("claim", key, claim_id)))

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
        self._writing([key])
        asked = claiming.Settling(key, claim_id, settlements, now_ms, rest)
        call = Call(asked, ("claim", key, claim_id), len(settlements) + 1)
        settled: Mapping[str, Settled] = await self._lanes.run(key, claiming.settle, call)
        if self._hints is not None and any(isinstance(each, Release) for each in (rest, *settlements.values())):
            self._hints.note([key])
        return settled

    # -- subscriptions

    async def put_subscription(self, subscription: Subscription, *, revision: int | None, now_ms: int) -> Subscription:
        """Create or replace a subscription."""
        step = partial(subscriptions.put_subscription, wanted=subscription, revision=revision, now_ms=now_ms)
        self._writing([subscription.queue])
        stored: Subscription = await self._step(subscription.queue, step)
        return stored

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
        wanted = tuple(ids) if ids is not None else None
        listing = subscriptions.Listing(key, after, limit, now_ms, wanted, subscriber)
        found = await self._rolls.find(listing)
        if isinstance(found, SukkalError):
            raise found
        return found or ()

    async def delete_subscription(self, key: QueueKey, subscription_id: str) -> bool:
        """Remove a subscription with its backlog."""
        self._writing([key])
        return bool(await self._step(key, partial(subscriptions.delete_subscription, key=key, id_=subscription_id)))

    # -- the whole

    async def stats(self, key: QueueKey, *, now_ms: int) -> Stats:
        """Count the queue's live messages."""
        return await reading.stats(self._reads, key, now_ms=now_ms)

    async def sweep(self, *, now_ms: int, limit: int) -> Swept:
        """Remove some of what can no longer be seen."""
        swept: Swept = await self._step(CONTROL, partial(managing.sweep, now_ms=now_ms, limit=limit))
        return swept

    async def due_queues(
        self, *, now_ms: int, limit: int, backlogs: bool = False, after: QueueKey | None = None
    ) -> tuple[QueueKey, ...]:
        """Return queues with set-aside messages that are free to be taken, or backlogs with free ones."""
        return await reading.due_queues(self._reads, now_ms=now_ms, limit=limit, backlogs=backlogs, after=after)

    async def next_due(self, key: QueueKey, *, now_ms: int) -> int | None:
        """Return when the next message of the queue becomes free."""
        return await reading.next_due(self._reads, key, now_ms=now_ms)

    # -- accounts

    async def usage(self, project: str, *, now_ms: int) -> Usage:
        """Count what the project keeps."""
        return await records.usage(self._reads, project, now_ms=now_ms)

    async def usage_of(self, key: QueueKey, *, now_ms: int) -> Usage:
        """Count what one queue holds."""
        return await records.usage_of(self._reads, key, now_ms=now_ms)

    # -- how calls are made

    async def _load_rolls(
        self, listings: Sequence[subscriptions.Listing]
    ) -> dict[subscriptions.Listing, tuple[Subscription, ...] | SukkalError]:
        found: dict[subscriptions.Listing, tuple[Subscription, ...] | SukkalError] = {}
        for each in listings:
            try:
                found[each] = await subscriptions.list_subscriptions(self._reads, each)
            except SukkalError as refused:
                # Others have nothing to do with it.
                found[each] = refused
        return found

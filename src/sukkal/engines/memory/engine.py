"""The engine in memory: the contract in its plainest form.

It is what the other engines are compared with, and ``--store memory://``. Nothing survives the process, and looking for
free messages walks the queue: it is meant for tests and trials, not for depth.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.engines.holds import Marker
from sukkal.engines.memory.contents import (
    Contents,
    Delivery,
    after_position,
    hold,
    position_of,
    remove,
    settle,
    shown,
    stats,
    usage,
    visible,
)
from sukkal.engines.memory.moving import Followed, Staged
from sukkal.engines.memory.records import RecordTable
from sukkal.engines.memory.subscriptions import expired
from sukkal.engines.memory.whole import WholeInMemory
from sukkal.errors import ClaimNotFound, RevisionConflict
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
    Swept,
    Usage,
    View,
)

__all__ = ["MemoryEngine"]

_NUMBERS_PER_MS: Final = 1_000


class MemoryEngine(WholeInMemory):
    """Keeps all data in the process. See ``sukkal.store.Engine``."""

    def __init__(self) -> None:
        self.queues: dict[QueueKey, Contents] = {}
        self._records = RecordTable()
        self._sequence = self._began = 0
        self._dropped: dict[int, int] = {}
        self.markers: dict[QueueKey, Marker] = {}
        self.staged: dict[QueueKey, Staged] = {}
        self.followed: dict[QueueKey, Followed] = {}

    async def start(self) -> None:
        """Begin empty."""

    async def close(self) -> None:
        """Forget everything."""
        self.queues.clear()
        self._records.clear()

    def stalled_ms(self, now_ms: int) -> int:
        """Return 0: nothing ever waits."""
        return 0

    # -- queues

    async def put_queue(
        self, key: QueueKey, metadata: Mapping[str, Any], *, revision: int | None, now_ms: int, gap: bool = False
    ) -> Queue:
        """Create the queue, or replace its metadata."""
        self.writing(key)
        contents = self.queues.get(key)
        if (contents.queue.revision if contents else None) != revision:
            raise RevisionConflict(f"The metadata of queue {key.name} were changed meanwhile. Read them again.")
        if contents is None:
            contents = self.create(key, now_ms)
        else:
            contents.queue = replace(contents.queue, revision=contents.queue.revision + 1)
        contents.metadata = msgspec.json.encode(metadata)
        if gap:
            contents.removed = self._next()
        return shown(contents)

    async def get_queue(self, key: QueueKey) -> Queue | None:
        """Return the queue, or ``None``."""
        self.reading(key)
        contents = self.queues.get(key)
        return shown(contents) if contents else None

    async def list_queues(
        self, project: str, kind: QueueKind, *, after: str, limit: int, total: bool = False
    ) -> QueueList:
        """Return a page of queues by name."""
        keys = sorted(key for key in self.queues if key.project == project and key.kind == kind)
        page = [shown(self.queues[key]) for key in keys if key.name > after][:limit]
        return QueueList(tuple(page), len(keys) if total else None)

    async def delete_queue(
        self, key: QueueKey, *, contents_only: bool = False, idle: Idle | None = None, now_ms: int = 0
    ) -> bool:
        """Remove the queue or its contents."""
        self.writing(key)
        contents = self.queues.get(key)
        if contents is None or not (idle is None or contents.is_idle(idle, now_ms)):
            return False
        del self.queues[key]
        self._dropped[self._mark_of(key)] = self._next()
        if contents_only:
            self.queues[key] = Contents(
                contents.queue,
                contents.metadata,
                self._next(),
                ends_ms=contents.ends_ms,
                subscriptions=contents.subscriptions,
            )
            return True
        for subscription in contents.subscriptions.values():
            self.queues.pop(subscription.backlog, None)
        return True

    # -- messages

    async def publish(self, posts: Sequence[Post], *, now_ms: int, once: Once | None = None) -> Published:
        """Store messages in all the named queues at once."""
        for post in posts:
            self.writing(post.queue)
        ids = tuple(tuple(message.id for message in post.messages) for post in posts)
        present = self.queues.get(posts[0].queue)
        if once is not None and present is not None and (earlier := present.earlier(once, now_ms)) is not None:
            return Published(earlier, repeated=True)
        stored = [self._store(post, now_ms) for post in posts]
        if once is not None:
            self.queues[posts[0].queue].once[once.key] = (once, ids[:1])
        return Published(
            ids, epochs=tuple(epoch for epoch, _ in stored), sequences=tuple(sequences for _, sequences in stored)
        )

    async def earlier(self, key: QueueKey, acts: Sequence[Once], *, now_ms: int) -> Mapping[str, tuple[str, ...]]:
        """Return the ids of earlier posts."""
        known = {} if (present := self.live(key, now_ms)) is None else {a.key: present.earlier(a, now_ms) for a in acts}
        return {name: ids[0] for name, ids in known.items() if ids is not None}

    async def browse(self, key: QueueKey, *, after: Position | None, limit: int, view: View, now_ms: int) -> Page:
        """Return part of a view of the queue."""
        contents = self.live(key, now_ms)
        if contents is None:
            self._begin(now_ms)
            return Page((), None, last=self._sequence, dropped=self._dropped_at(key))
        free_only = not (view.claimed or view.delayed)
        scanned: Iterable[Delivery] = contents.free(now_ms) if free_only else contents.live(now_ms)
        found: list[Message] = []
        last: Position | None = None
        for count, delivery in enumerate(after_position(scanned, after, free=free_only)):
            if count == limits.BROWSE_SCAN_ROWS_MAX or len(found) == limit:
                break
            last = position_of(delivery, free=free_only)
            if visible(delivery, view, now_ms):
                found.append(delivery.shown(now_ms))
        if free_only:
            return Page(tuple(found), last)
        complete = contents.removed <= (after.sequence if after else 0) and not any(
            not delivery.live(now_ms) for delivery in after_position(contents.deliveries.values(), after, free=False)
        )
        return Page(tuple(found), last, contents.epoch, self._sequence, complete, self._dropped_at(key))

    async def get_messages(self, key: QueueKey, ids: Sequence[str], *, now_ms: int) -> tuple[Message, ...]:
        """Return those of the messages that are live."""
        found = (self._find(key, id_, now_ms) for id_ in dict.fromkeys(ids))
        return tuple(delivery.shown(now_ms) for delivery in found if delivery)

    async def delete_messages(
        self, key: QueueKey, ids: Sequence[str], *, now_ms: int, claimed: bool
    ) -> Mapping[str, Deleted]:
        """Delete messages by id."""
        self.writing(key)
        outcome: dict[str, Deleted] = {}
        for id_ in dict.fromkeys(ids):
            delivery = self._find(key, id_, now_ms)
            if delivery is None:
                outcome[id_] = Deleted.MISSING
            elif delivery.claimed(now_ms) and not claimed:
                outcome[id_] = Deleted.CLAIMED
            else:
                self.queues[key].remove((id_,))
                outcome[id_] = Deleted.DONE
        return outcome

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
        self.writing(key)
        contents = self.live(key, now_ms)
        if contents is None:
            return ()
        taken: list[Delivery] = []
        for delivery in contents.free(now_ms, set_aside=set_aside):
            if len(taken) == limit:
                break
            if max_attempts is not None and not set_aside and delivery.message.attempts >= max_attempts:
                delivery.set_aside = True
            else:
                taken.append(delivery)
        ends_ms = now_ms + claim.ttl_s * limits.SECOND_MS
        for delivery in taken:
            attempts = delivery.message.attempts + (not set_aside)
            delivery.message = replace(delivery.message, claim_id=claim.id, attempts=attempts)
            hold(delivery, ends_ms, claim.ttl_s, claim.grace_s)
            if max_attempts is not None and attempts >= max_attempts:
                delivery.set_aside = True
            if settle:
                contents.remove((delivery.message.id,))
        if taken and not settle:
            contents.claims[claim.id] = Claim(
                id=claim.id, ttl_s=claim.ttl_s, grace_s=claim.grace_s, created_ms=now_ms, expires_ms=ends_ms
            )
        return tuple(delivery.message for delivery in taken)

    async def get_claim(self, key: QueueKey, claim_id: str, *, now_ms: int) -> HeldClaim | None:
        """Return a live claim and what it holds."""
        contents = self.live(key, now_ms)
        claim = contents.live_claim(claim_id, now_ms) if contents else None
        if contents is None or claim is None:
            return None
        return HeldClaim(claim, tuple(delivery.message for delivery in contents.held(claim_id, now_ms)))

    async def list_claims(self, key: QueueKey, *, after: str, limit: int, now_ms: int) -> tuple[Claim, ...]:
        """Return live claims by id."""
        contents = self.live(key, now_ms)
        claims = sorted(contents.claims.values(), key=lambda claim: claim.id) if contents else []
        return tuple(claim for claim in claims if claim.id > after and now_ms < claim.expires_ms)[:limit]

    async def extend(self, key: QueueKey, claim_id: str, *, ttl_s: int, grace_s: int, now_ms: int) -> None:
        """Begin a live claim's time anew."""
        self.writing(key)
        contents, claim = self._live_claim(key, claim_id, now_ms)
        ends_ms = now_ms + ttl_s * limits.SECOND_MS
        for delivery in contents.held(claim_id, now_ms):
            hold(delivery, ends_ms, ttl_s, grace_s)
        contents.claims[claim_id] = replace(claim, ttl_s=ttl_s, grace_s=grace_s, created_ms=now_ms, expires_ms=ends_ms)

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
        self.writing(key)
        contents, _ = self._live_claim(key, claim_id, now_ms)
        outcome: dict[str, Settled] = {}
        for id_, settlement in settlements.items():
            delivery = self._find(key, id_, now_ms)
            if delivery is None:
                outcome[id_] = Settled.MISSING
            elif not delivery.claimed(now_ms):
                outcome[id_] = Settled.NOT_CLAIMED
            elif delivery.message.claim_id != claim_id:
                outcome[id_] = Settled.OTHER_CLAIM
            else:
                settle(contents, delivery, settlement, now_ms)
                outcome[id_] = Settled.DONE
        if rest is not None:
            for delivery in contents.held(claim_id, now_ms):
                settle(contents, delivery, rest, now_ms)
            del contents.claims[claim_id]
        return outcome

    # -- the whole

    async def stats(self, key: QueueKey, *, now_ms: int) -> Stats:
        """Count the queue's live messages."""
        contents = self.live(key, now_ms)
        return stats(list(contents.live(now_ms)), now_ms) if contents else Stats()

    async def sweep(self, *, now_ms: int, limit: int) -> Swept:
        """Remove some of what can no longer be seen."""
        self.sweep_markers(now_ms)
        removed = 0
        for contents, subscription in expired(self.queues.values(), now_ms, limit):
            del contents.subscriptions[subscription.id]
            self.queues.pop(subscription.backlog, None)
            removed += 1
        for contents in self.queues.values():
            dead = [id_ for id_, delivery in contents.deliveries.items() if not delivery.live(now_ms)]
            ended = [id_ for id_, claim in contents.claims.items() if now_ms >= claim.expires_ms]
            forgotten = [key for key, (once, _) in contents.once.items() if now_ms >= once.expires_ms]
            removed += contents.remove(dead[: limit - removed])
            removed += remove(contents.claims, ended[: limit - removed])
            removed += remove(contents.once, forgotten[: limit - removed])
        removed += self._records.sweep(now_ms=now_ms, limit=limit - removed)
        return Swept(removed, more=removed >= limit)

    async def due_queues(
        self, *, now_ms: int, limit: int, backlogs: bool = False, after: QueueKey | None = None
    ) -> tuple[QueueKey, ...]:
        """Return queues with set-aside messages that are free to be taken, or backlogs with free ones."""
        due = (
            key
            for key, contents in self.queues.items()
            if (key.kind == "backlog") is backlogs
            and (after is None or key > after)
            and not contents.ended(now_ms)
            and contents.free(now_ms, set_aside=not backlogs)
        )
        return tuple(sorted(due)[:limit])

    async def next_due(self, key: QueueKey, *, now_ms: int) -> int | None:
        """Return when the next message of the queue becomes free."""
        contents = self.live(key, now_ms)
        live = contents.live(now_ms) if contents else ()
        return min((each.message.visible_ms for each in live if each.waits(now_ms)), default=None)

    # -- accounts

    async def usage(self, project: str, *, now_ms: int) -> Usage:
        """Count what the project keeps."""
        return usage([each for key, each in self.queues.items() if key.project == project], now_ms)

    async def usage_of(self, key: QueueKey, *, now_ms: int) -> Usage:
        """Count what one queue holds."""
        sizes = [] if (contents := self.live(key, now_ms)) is None else contents.sizes(now_ms)
        return Usage(messages=len(sizes), bytes=sum(sizes))

    # -- parts

    def create(self, key: QueueKey, now_ms: int) -> Contents:
        """Create a queue that does not exist."""
        self._begin(now_ms)
        queue = Queue(key=key, metadata={}, revision=1, created_ms=now_ms)
        contents = self.queues[key] = Contents(queue, msgspec.json.encode({}), self._next())
        return contents

    def _begin(self, now_ms: int) -> None:
        # Another process before this one has given numbers too; none of them may seem to be one of these.
        self._began = self._began or now_ms * _NUMBERS_PER_MS
        self._sequence = max(self._sequence, self._began)

    def _dropped_at(self, key: QueueKey) -> int:
        return self._dropped.get(self._mark_of(key), self._began)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _store(self, post: Post, now_ms: int) -> tuple[int, tuple[int, ...]]:
        """Store a post and return the epoch of its queue and the sequences of its messages."""
        contents = self.live(post.queue, now_ms)
        if contents is None:
            if post.queue.kind == "backlog":
                return 0, ()
            contents = self.create(post.queue, now_ms)
        return contents.epoch, tuple([contents.insert(message, self._next, now_ms) for message in post.messages])

    def _find(self, key: QueueKey, id_: str, now_ms: int) -> Delivery | None:
        contents = self.live(key, now_ms)
        delivery = contents.deliveries.get(id_) if contents else None
        return delivery if delivery is not None and delivery.live(now_ms) else None

    def _live_claim(self, key: QueueKey, claim_id: str, now_ms: int) -> tuple[Contents, Claim]:
        contents = self.live(key, now_ms)
        claim = contents.live_claim(claim_id, now_ms) if contents else None
        if contents is None or claim is None:
            raise ClaimNotFound(f"Claim {claim_id} does not exist in queue {key.name} for project {key.project}")
        return contents, claim

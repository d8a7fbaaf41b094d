"""The engine over engines: it finds the pool of a queue and makes the call there."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import QueueMoved, StoreUnavailable
from sukkal.model import Idle, Once, Page, Post, Published, Queue, QueueKey, RecordKey, Subscription
from sukkal.pools.begun import note_move
from sukkal.pools.choosing import Choice
from sukkal.pools.definitions import HOME
from sukkal.pools.members import Member, Members, MovableEngine, Tell
from sukkal.pools.owners import Owners, history_of
from sukkal.pools.places import Places
from sukkal.pools.wholes import Wholes
from sukkal.records import Records
from sukkal.store import Engine, Shared

__all__ = ["NUMBERS_PER_MS", "PooledEngine"]

C = TypeVar("C", bound=Callable[..., Any])

_TRIES: Final = 10
_HELD_PAUSE_S: Final = 0.1
NUMBERS_PER_MS: Final = 1_000
"""More than any engine gives, so that numbers by the time are greater than all that were given before."""
_FENCE: Final = RecordKey("fence", "", "fence")


class PooledEngine:
    """Keeps each queue in one of many engines. See ``sukkal.store.Engine``, and ADR 36 for what is not atomic.

    ``home`` keeps the records, and all queues as long as there is no pool; then each call is made of it as it is.
    ``nowhere`` is an empty engine that answers for queues that do not exist. ``pause`` waits for so many seconds while
    a queue is being moved. ``check`` raises ``StartupError`` for the records of an engine that is not to be served.
    """

    def __init__(
        self,
        home: MovableEngine,
        nowhere: Engine,
        make_engine: Callable[[str], MovableEngine],
        *,
        now_ms: Callable[[], int],
        draw: Callable[[], float],
        pause: Callable[[float], Awaitable[None]],
        settle_ms: int = 0,
        check: Callable[[Records], Awaitable[None]] | None = None,
    ) -> None:
        self.home = home
        self._check = check
        self._nowhere = nowhere
        self._settle_ms = settle_ms
        self._now_ms = now_ms
        self._pause = pause
        self.members = Members(home, make_engine, now_ms)
        self.places = Places(home, now_ms)
        self.owners = Owners(home, now_ms)
        self.choice = Choice(home, self.members, draw, now_ms, settle_ms)
        self._alone = True
        self._looked_ms = 0
        self._looking = asyncio.Lock()
        self._tell: Tell | None = None
        self._placing = False
        self._wholes = Wholes(home, self.members, self.places, self.find)

        self.put_record = home.put_record
        self.swap_record = home.swap_record
        self.get_record = home.get_record
        self.list_records = home.list_records
        self.delete_record = home.delete_record

        self.get_queue = self._placed(home.get_queue)
        self.browse = self._placed(home.browse)
        self.get_messages = self._placed(home.get_messages)
        self.delete_messages = self._placed(home.delete_messages)
        self.claim = self._placed(home.claim)
        self.get_claim = self._placed(home.get_claim)
        self.list_claims = self._placed(home.list_claims)
        self.extend = self._placed(home.extend)
        self.settle = self._placed(home.settle)
        self.list_subscriptions = self._placed(home.list_subscriptions)
        self.stats = self._placed(home.stats)
        self.next_due = self._placed(home.next_due)
        self.usage_of = self._placed(home.usage_of)
        self.earlier = self._placed(home.earlier)

        self.list_queues = self._of_all(home.list_queues, self._wholes.list_queues)
        self.sweep = self._of_all(home.sweep, self._wholes.sweep)
        self.due_queues = self._of_all(home.due_queues, self._wholes.due_queues)
        self.usage = self._of_all(home.usage, self._wholes.usage)
        self.put_queue = self._making(home.put_queue, self._put_queue)
        self.delete_queue = self._of_all(home.delete_queue, self._delete_queue)
        self.publish = self._making(home.publish, self._publish)
        self.put_subscription = self._making(home.put_subscription, self._put_subscription)
        self.delete_subscription = self._of_all(home.delete_subscription, self._delete_subscription)

    # -- its life

    async def start(self) -> None:
        """Open the store and the pools. A pool that does not open is down, which hurts only its queues."""
        await self.home.start()
        try:
            if self._check is not None:
                await self._check(self.home)
        except BaseException:
            await self.home.close()
            raise
        await self._nowhere.start()
        await self.refresh()

    async def close(self) -> None:
        """Close the pools and the store."""
        await self.members.close()
        await self.home.close()

    def stalled_ms(self, now_ms: int) -> int:
        """Return for how long writes to the store have waited; a pool that stalls is down and tells so itself."""
        return self.home.stalled_ms(now_ms)

    async def refresh(self) -> None:
        """Look which pools there are, open those that are new, and try those that are down."""
        looked_ms = self._now_ms()
        await self.members.refresh(self._opened)
        self._looked_ms = looked_ms
        if len(self.members) and self._alone:
            self._alone = False
            # What was on its way to the store when queues were not looked up yet is there after this.
            await self.home.swap_record(_FENCE, None, None, now_ms=0)
            self._placing = True

    @property
    def shared(self) -> Shared | None:
        """What several processes share, if the store is for that."""
        return self.home if isinstance(self.home, Shared) else None

    def hints(self, tell: Tell, hear: Callable[[bytes], None]) -> None:
        """Have it told what other processes put where, in the store and in all pools, and what they say."""
        self._tell = tell
        if self.shared is not None:
            self.shared.hints(tell, hear)
        for member in self.members:
            member.hints(tell)

    async def _opened(self, member: Member) -> None:
        if self._check is not None:
            await self._check(member.engine)
        if self._tell is not None:
            member.hints(self._tell)
        await member.engine.admit((), above=self._now_ms() * NUMBERS_PER_MS)

    # -- where a queue is

    async def find(self, key: QueueKey) -> tuple[QueueKey, str | None]:
        """Return with which queue a queue lies, and in which pool."""
        if key.kind == "index":
            return key, HOME
        owner = await self.owners.of(key)
        return owner, await self.places.find(owner)

    async def ask(self, pool: str | None, call: str, *given: Any, **more: Any) -> Any:
        """Make a call of the engine of a pool."""
        if pool is None:
            found = await getattr(self._nowhere, call)(*given, **more)
            if isinstance(found, Page):
                # Wherever the queue will be, it begins behind this, also by the clock of another node.
                return replace(found, last=(more["now_ms"] - self._settle_ms) * NUMBERS_PER_MS, dropped=0)
            return found
        if pool == HOME:
            return await getattr(self.home, call)(*given, **more)
        member = self.members.get(pool)
        if member is None:
            # Another node has made it a moment ago.
            await self.refresh()
            member = self.members.get(pool)
        if member is None:
            raise StoreUnavailable("The store of this queue is not there. Please tell an operator.")
        return await member.ask(call, *given, **more)

    async def _ensure(self, key: QueueKey, now_ms: int, flavor: str | None = None) -> tuple[QueueKey, str | None]:
        """Return where a queue lies or is to lie; backlogs come into being with their subscriptions only."""
        owner = await self.owners.of(key)
        if owner.kind in ("backlog", "index"):
            return owner, HOME if owner.kind == "index" else await self.places.find(owner)

        async def choose(before: str | None) -> str:
            if before is not None:
                await self._check_flavor(owner, before, flavor)
                return before
            pool = await self.choice.choose(flavor) if self._placing else HOME
            # Its numbers must be greater than those that were told of the queue when it was nowhere.
            await self.ask(pool, "admit", (owner, history_of(owner)), above=now_ms * NUMBERS_PER_MS)
            return pool

        return owner, await self.places.ensure(owner, choose)

    async def _check_flavor(self, key: QueueKey, pool: str, flavor: str | None) -> None:
        """Let a queue that was deleted be made in its old pool only if its new flavor has that."""
        if flavor is not None and pool not in await self.choice.candidates(flavor):
            # Somebody may still know the old place, so it is left as that of any other queue is: by moving.
            await note_move(self.home, key, pool, await self.choice.choose(flavor), now_ms=self._now_ms())
            raise _moving()

    async def there(
        self,
        key: QueueKey,
        where: Callable[[QueueKey], Awaitable[tuple[QueueKey, str | None]]],
        call: str,
        /,
        *given: Any,
        **more: Any,
    ) -> Any:
        """Make a call where a queue lies, also if that changes at this moment."""
        for _ in range(_TRIES):
            owner, pool = await where(key)
            try:
                return await self.ask(pool, call, *given, **more)
            except QueueMoved as moved:
                self.places.forget(owner)
                if moved.held:
                    await self._pause(_HELD_PAUSE_S)
        raise _moving()

    def _placed(self, call: C) -> C:
        name = call.__name__

        def placed(key: QueueKey, *given: Any, **more: Any) -> Any:
            if self._alone:
                return call(key, *given, **more)
            return self.there(key, self.find, name, key, *given, **more)

        return cast(C, placed)

    def _of_all(self, call: C, pooled: Callable[..., Any]) -> C:
        def made(*given: Any, **more: Any) -> Any:
            return call(*given, **more) if self._alone else pooled(*given, **more)

        return cast(C, made)

    # -- calls that bring queues into being, or end them

    def _making(self, call: C, pooled: Callable[..., Any]) -> C:
        def made(*given: Any, **more: Any) -> Any:
            if self._alone and self._knows():
                return call(*given, **more)
            return self._look_and_make(call, pooled, given, more)

        return cast(C, made)

    async def _look_and_make(self, call: Callable[..., Any], pooled: Callable[..., Any], given: Any, more: Any) -> Any:
        if self._alone:
            async with self._looking:
                if not self._knows():
                    await self.refresh()
        return await (call if self._alone else pooled)(*given, **more)

    def _knows(self) -> bool:
        """Tell whether what is known of the pools is new enough to make a queue.

        Whoever stood still while the first pool was made and began to take queues would make one in the store.
        """
        return not self._settle_ms or self._now_ms() - self._looked_ms < self._settle_ms // 2

    async def _put_queue(self, key: QueueKey, metadata: Mapping[str, Any], **more: Any) -> Queue:
        flavor = metadata.get("_flavor")
        new = more["revision"] is None
        where = (lambda key: self._ensure(key, more["now_ms"], flavor)) if new else self.find
        return cast(Queue, await self.there(key, where, "put_queue", key, metadata, **more))

    async def _publish(self, posts: Sequence[Post], *, now_ms: int, once: Once | None = None) -> Published:
        for _ in range(_TRIES):
            places = [await self._ensure(post.queue, now_ms) for post in posts]
            first = places[0][1]
            here = [at for at, (_, pool) in enumerate(places) if pool == first]
            try:
                published: Published = await self.ask(
                    first, "publish", tuple([posts[at] for at in here]), now_ms=now_ms, once=once
                )
            except QueueMoved as moved:
                for at in here:
                    self.places.forget(places[at][0])
                if moved.held:
                    await self._pause(_HELD_PAUSE_S)
                continue
            if published.repeated or len(here) == len(posts):
                return published
            # The queue first: what it refuses must not have been copied. Copies are known by their ids.
            elsewhere = [at for at in range(len(posts)) if at not in here]
            copied = await self._publish([posts[at] for at in elsewhere], now_ms=now_ms)
            return _in_order(posts, dict(zip((*here, *elsewhere), _parts(published, copied), strict=True)))
        raise _moving()

    async def _delete_queue(
        self, key: QueueKey, *, contents_only: bool = False, idle: Idle | None = None, now_ms: int = 0
    ) -> bool:
        backlogs = [] if contents_only else await self._backlogs(key, now_ms)
        gone: bool = await self.there(
            key, self.find, "delete_queue", key, contents_only=contents_only, idle=idle, now_ms=now_ms
        )
        if gone and not contents_only:
            for backlog in backlogs:
                await self.owners.forget(backlog)
            owner, pool = await self.find(key)
            if owner == key and key.kind != "index" and pool is not None:
                await self.places.leave(key, pool)
        return gone

    async def _backlogs(self, key: QueueKey, now_ms: int) -> list[QueueKey]:
        queue: Queue | None = await self.get_queue(key)
        if queue is None or not queue.subscriptions:
            return []
        return [each.backlog for each in await self.all_subscriptions(key, now_ms)]

    async def all_subscriptions(self, key: QueueKey, now_ms: int) -> list[Subscription]:
        """Return all live subscriptions of a queue."""
        found: list[Subscription] = []
        while True:
            after = found[-1].id if found else ""
            page = await self.list_subscriptions(key, after=after, limit=limits.PAGE_MAX, now_ms=now_ms)
            found += page
            if len(page) < limits.PAGE_MAX:
                return found

    async def _put_subscription(self, subscription: Subscription, *, revision: int | None, now_ms: int) -> Subscription:
        key = subscription.queue
        if key.kind != "index":
            await self.owners.note(subscription)
        where = (lambda key: self._ensure(key, now_ms)) if revision is None else self.find
        stored = await self.there(key, where, "put_subscription", subscription, revision=revision, now_ms=now_ms)
        return cast(Subscription, stored)

    async def _delete_subscription(self, key: QueueKey, subscription_id: str) -> bool:
        gone: bool = await self.there(key, self.find, "delete_subscription", key, subscription_id)
        if gone and key.kind != "index":
            await self.owners.forget(QueueKey(key.project, subscription_id, "backlog"))
        return gone

    # -- what nobody waits for

    async def tidy(self, *, limit: int) -> int:
        """Forget some places of queues that were deleted long ago."""
        return 0 if self._alone else await self.places.tidy(self._exists, limit=limit)

    async def _exists(self, key: QueueKey, pool: str) -> bool:
        found = [await self.ask(pool, "get_queue", each) for each in (key, history_of(key))]
        return any(each is not None for each in found)


def _moving() -> QueueMoved:
    return QueueMoved("The queue is being moved. Please try again in a few seconds.")


def _parts(*published: Published) -> list[tuple[int, tuple[int, ...]]]:
    return [part for each in published for part in zip(each.epochs, each.sequences, strict=True)]


def _in_order(posts: Sequence[Post], stored: Mapping[int, tuple[int, tuple[int, ...]]]) -> Published:
    """Return what was stored here and there as one."""
    ids = tuple([tuple([message.id for message in post.messages]) for post in posts])
    parts = [stored[at] for at in range(len(posts))]
    return Published(ids, epochs=tuple([epoch for epoch, _ in parts]), sequences=tuple([each for _, each in parts]))

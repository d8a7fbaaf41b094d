"""Copies of what is posted, for the backlogs of those who have subscribed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from sukkal import limits
from sukkal.filters.values import Attributes
from sukkal.model import NewMessage, Post, Queue, QueueKey, QueueKind, Subscription
from sukkal.service.addressees import AddressBook, Addressees, Group
from sukkal.service.attributes import DISABLED, is_searched
from sukkal.service.backlogs import Backlogs
from sukkal.service.lenses import Lenses, posted
from sukkal.service.traces import kept_trace
from sukkal.service.turns import Part
from sukkal.settings import Settings
from sukkal.store import Store

__all__ = ["INDEX", "Copies", "FanOut", "Origin", "index_backlog", "is_copied", "obstacle", "origin_of", "passing"]

INDEX: Final = "search"
"""The standing order by which a project's index gets what is posted to the queues that are searched."""


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a delivery is from, and how it went so far; kept as the attributes of its message in the backlog.

    ``ttl_s`` is the life that the message was posted with. ``attempts`` were made, the last one ended with ``status``
    and ``error``; ``dead`` ones are not tried again by themselves. A ``notice`` is a message of the service's own.
    ``passed`` names the queues that the message was in before it was forwarded to this one. With ``heard_ms`` it is no
    delivery but the deadline of a heartbeat: when the last event came, and whether the silence since has been ``told``.
    ``traceparent`` and ``tracestate`` are the message's, see ``kept_trace``.
    """

    queue: str
    kind: QueueKind
    ttl_s: int
    attempts: int = 0
    status: int | None = None
    error: str = ""
    dead: bool = False
    notice: bool = False
    passed: tuple[str, ...] = ()
    heard_ms: int | None = None
    told: bool = False
    traceparent: str | None = None
    tracestate: str = ""

    def key(self, project: str) -> QueueKey:
        """Return the queue that the message was posted to."""
        return QueueKey(project, self.queue, self.kind)


_decoder: Final = msgspec.json.Decoder(Origin)


def origin_of(attributes: bytes | None) -> Origin | None:
    """Return the origin of a message in a backlog."""
    return None if attributes is None else _decoder.decode(attributes)


def passing(key: QueueKey) -> str:
    """Return how a queue is written where it is one of those that a message has passed."""
    # Names and kinds have no blanks; what a project's id has is whoever gives it to decide.
    return f"{key.kind} {key.name} {key.project}"


def obstacle(subscription: Subscription, *, confirmed_only: bool) -> str | None:
    """Return why a subscription gets nothing at all, if so."""
    if DISABLED in subscription.options:
        return f"it is disabled: {subscription.options[DISABLED]}"
    return "it is not confirmed" if confirmed_only and not subscription.confirmed else None


def index_backlog(project: str) -> QueueKey:
    """Return where copies wait for a project's index."""
    return QueueKey(project, INDEX, "backlog")


def is_copied(queue: Queue) -> bool:
    """Tell whether anybody may have a copy of what is posted to a queue."""
    return queue.subscriptions > 0 or is_searched(queue.metadata)


class Copies(NamedTuple):
    """Copies for backlogs, and the subscriptions that wanted one, whether there was room for it or not."""

    posts: Sequence[Post] = ()
    wanted: Sequence[Subscription] = ()


class FanOut:
    """Finds out who is to have a copy; ``heard`` is told of those who wanted one."""

    def __init__(
        self,
        store: Store,
        backlogs: Backlogs,
        settings: Settings,
        lenses: Lenses,
        heard: Callable[[Sequence[Subscription]], Awaitable[None]],
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._backlogs = backlogs
        self._lenses = lenses
        self._book = AddressBook(lenses)
        self._heard = heard
        self._confirmed_only = settings.require_confirmation
        self._now_ms = now_ms

    async def copies(
        self,
        queue: Queue,
        messages: Sequence[NewMessage],
        sealed: Sequence[NewMessage],
        passed: tuple[str, ...] = (),
    ) -> Copies:
        """Return the copies of what is ``sealed`` for those who want them, which are posted with it."""
        every = _copies(queue.key, sealed, passed)
        found: list[Post] = []
        heard: list[Subscription] = []
        if is_searched(queue.metadata):
            found += await self._backlogs.with_room([(index_backlog(queue.key.project), every)])
        if not queue.subscriptions:
            return Copies(found)
        sieve = _Sieve(self._lenses, queue.key, messages, every, self._now_ms())
        after, more = "", True
        while more:
            rest = await self._store.list_subscriptions(
                queue.key, after=after, limit=limits.SUBSCRIPTIONS_PER_POST, now_ms=self._now_ms()
            )
            more = len(rest) == limits.SUBSCRIPTIONS_PER_POST
            while rest:
                async with self._lenses.turns.of(queue.key.project):
                    addressees = await self._book.of(queue.key, after, rest)
                    wanted = await sieve.wanted(addressees)
                copies = [each for each in wanted if self.obstacle(each[0]) is None]
                heard += [each for each, _ in copies]
                found += await self._backlogs.with_room([(each.backlog, some) for each, some in copies])
                rest, after = rest[len(addressees.subscriptions) :], addressees.subscriptions[-1].id
        return Copies(found, heard)

    async def come(self, copies: Copies) -> None:
        """Tell that what is wanted has come: it is about to be stored."""
        if copies.wanted:
            await self._heard(copies.wanted)

    def obstacle(self, subscription: Subscription) -> str | None:
        """Return why a subscription gets nothing at all, if so."""
        return obstacle(subscription, confirmed_only=self._confirmed_only)


class _Sieve:
    """The copies of one post that pass filters."""

    def __init__(
        self,
        lenses: Lenses,
        key: QueueKey,
        messages: Sequence[NewMessage],
        copies: tuple[NewMessage, ...],
        now_ms: int,
    ) -> None:
        self._lenses = lenses
        self._key = key
        self._messages = messages
        self._copies = copies
        self._now_ms = now_ms
        self._attributes: list[Attributes] | None = None
        self._part = Part()

    async def wanted(self, addressees: Addressees) -> list[tuple[Subscription, tuple[NewMessage, ...]]]:
        """Return the copies for each of some addressees that wants any."""
        found = [(each, self._copies) for each in addressees.unfiltered]
        if addressees.filtered:
            for group, copies in (await self._passed(addressees)).values():
                passed = tuple(copies)
                found += [(each, passed) for each in group.subscriptions]
        return found

    async def _passed(self, addressees: Addressees) -> dict[bytes, tuple[Group, list[NewMessage]]]:
        """Return what passes the filters of each group, where anything does."""
        if self._attributes is None:
            self._attributes = await self._recognised()
        found: dict[bytes, tuple[Group, list[NewMessage]]] = {}
        for copy, attributes in zip(self._copies, self._attributes, strict=True):
            for group in addressees.candidates(attributes):
                lens = group.lens
                if lens.passes is None or lens.passes(attributes):
                    found.setdefault(lens.filters, (group, []))[1].append(copy)
                if self._part.ends(lens.weight):
                    await asyncio.sleep(0)
        return found

    async def _recognised(self) -> list[Attributes]:
        found = []
        for message in self._messages:
            what = posted(self._key, message.id, at_ms=self._now_ms, ttl_s=message.ttl_s)
            found.append(self._lenses.attributes(message.body, what))
            if self._part.ends(limits.EXPRESSION_WEIGHT + len(message.body) // limits.DECODED_BYTES_PER_WEIGHT):
                await asyncio.sleep(0)
        return found


def _copies(key: QueueKey, messages: Sequence[NewMessage], passed: tuple[str, ...]) -> tuple[NewMessage, ...]:
    return tuple(
        [
            NewMessage(
                id=message.id,
                body=message.body,
                ttl_s=limits.BACKLOG_TTL_S,
                delay_s=message.delay_s,
                attributes=msgspec.json.encode(_origin(key, message, passed)),
            )
            for message in messages
        ]
    )


def _origin(key: QueueKey, message: NewMessage, passed: tuple[str, ...]) -> Origin:
    if message.attributes is None or (trace := kept_trace(message.attributes)) is None:
        return Origin(key.name, key.kind, message.ttl_s, passed=passed)
    return Origin(key.name, key.kind, message.ttl_s, passed=passed, traceparent=trace.parent, tracestate=trace.state)

"""Indexing: what is posted to queues that are searched, on its way into the index.

It waits in a backlog of the project, into which it comes with the post itself, and is taken from there as any delivery
is: claimed, put into the index, settled. So nothing is missing in the index for good because the index, the disk it is
on or the process was away; and a post never waits for the index.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.durations import Durations
from sukkal.errors import ClaimNotFound, RevisionConflict, SukkalError, Unavailable
from sukkal.model import Ack, Message, NewClaim, QueueKey, Release, Settlement, Subscription
from sukkal.search import SearchIndex
from sukkal.service.attributes import is_searched
from sukkal.service.fan_out import INDEX, index_backlog, origin_of
from sukkal.service.recognising import Recogniser
from sukkal.service.saved_searches import Indexed, SavedSearches
from sukkal.service.search_documents import document_of
from sukkal.store import Store

__all__ = ["Indexing"]

_log: Final = logging.getLogger("sukkal.search")

_END_MS: Final = 253_402_300_799_000
_DELAYS_S: Final = (0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3_600.0)


class _Batch(msgspec.Struct):
    """Messages that are held by a claim since ``leased_ms``, and what becomes of those that are done."""

    key: QueueKey
    claim: NewClaim
    leased_ms: int
    done: dict[str, Settlement] = {}


class Indexing:
    """Brings what waits in backlogs into the index; ``indexed`` counts the events that it took.

    ``failed`` counts the attempts that were of no avail. ``delays`` are the ages of the oldest of each batch.
    """

    def __init__(
        self,
        store: Store,
        index: SearchIndex,
        recogniser: Recogniser,
        saved: SavedSearches,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._index = index
        self._recogniser = recogniser
        self._saved = saved
        self._now_ms = now_ms
        self._new_id = new_id
        self._done: dict[QueueKey, dict[str, Settlement]] = {}
        self.indexed = 0
        self.failed = 0
        self.delays = Durations(_DELAYS_S)

    @property
    def skipped(self) -> int:
        """How often a saved search was left out because it took too long."""
        return self._saved.skipped

    async def begin(self, project: str) -> None:
        """See to it that a project has a backlog for its index, before the first queue of it is searched."""
        backlog = index_backlog(project)
        if await self._store.get_queue(backlog) is not None:
            return
        now_ms = self._now_ms()
        order = Subscription(
            id=INDEX,
            queue=QueueKey(project, INDEX, "index"),
            subscriber="index:",
            ttl_s=(_END_MS - now_ms) // limits.SECOND_MS,
            options={},
            confirmed=True,
            created_ms=now_ms,
            expires_ms=_END_MS,
        )
        try:
            await self._store.put_subscription(order, revision=None, now_ms=now_ms)
        except RevisionConflict:
            return  # Somebody else was faster.

    async def forget(self, key: QueueKey) -> None:
        """Let nothing be found any more that was posted to a queue so far."""
        try:
            await self._index.drop_queue(key, now_ms=self._now_ms())
        except Unavailable as error:
            _log.warning("what queue %s had stays in the index until it is too old: %s", key.name, error)

    async def index_some(self, key: QueueKey) -> bool:
        """Index the first of what waits in a backlog, and tell whether there was anything.

        Raises ``Unavailable``; then it waits on.
        """
        claim = NewClaim(id=self._new_id(), ttl_s=limits.SEARCH_LEASE_S, grace_s=limits.CLAIM_GRACE_S_MIN)
        batch = _Batch(key, claim, self._now_ms())
        messages = await self._store.claim(key, claim, limit=limits.SEARCH_INDEXED_AT_ONCE, now_ms=batch.leased_ms)
        if not messages:
            return False
        before = self._done.pop(key, {})
        batch.done = {message.id: before[message.id] for message in messages if message.id in before}
        try:
            await self._index_all(batch, [message for message in messages if message.id not in before])
        except ClaimNotFound:
            self._remember(batch)
            return bool(batch.done)  # If nothing was, trying at once would be of no use.
        except BaseException:
            self.failed += 1
            with contextlib.suppress(SukkalError):
                await self._settle(batch)
            raise
        self.delays.note((self._now_ms() - messages[0].created_ms) / limits.SECOND_MS)
        await self._settle(batch)
        return True

    async def _settle(self, batch: _Batch) -> None:
        try:
            await self._store.settle(batch.key, batch.claim.id, batch.done, now_ms=self._now_ms(), rest=Release())
        except ClaimNotFound:
            self._remember(batch)

    def _remember(self, batch: _Batch) -> None:
        """Let the next attempt settle what was done, however long it took, and go on behind it."""
        _log.warning("indexing for project %s took longer than its lease", batch.key.project)
        self._done[batch.key] = batch.done

    async def _index_all(self, batch: _Batch, messages: Sequence[Message]) -> None:
        project = batch.key.project
        indexed = [found for message in messages if (found := await self._read(project, message)) is not None]
        if indexed:
            try:
                self.indexed += await self._put(project, indexed)
            except SukkalError:
                raise
            except Exception:  # noqa: BLE001 - found below, for each alone
                indexed = [each for each in indexed if await self._put_alone(project, each)]
        waiting = {each.document.message_id for each in indexed}
        batch.done |= {message.id: Ack() for message in messages if message.id not in waiting}
        await self._tell(batch, indexed)

    async def _tell(self, batch: _Batch, indexed: Sequence[Indexed]) -> None:
        """Tell of documents, so few at once that the lease lasts until the next time."""
        project = batch.key.project
        searches = await self._saved.all(project)
        size = max(limits.SEARCH_ASKED_AT_ONCE // (len(searches) or 1), 1)
        for first in range(0, len(indexed), size):
            some = indexed[first : first + size]
            await self._extend(batch)
            later = await self._saved.tell(project, searches, some) if searches else {}
            batch.done |= {each.document.message_id: later.get(each.document.message_id, Ack()) for each in some}

    async def _extend(self, batch: _Batch) -> None:
        now_ms = self._now_ms()
        if now_ms - batch.leased_ms < limits.SEARCH_LEASE_S * limits.SECOND_MS // 3:
            return
        claim = batch.claim
        await self._store.extend(batch.key, claim.id, ttl_s=claim.ttl_s, grace_s=claim.grace_s, now_ms=now_ms)
        batch.leased_ms = now_ms

    async def _put(self, project: str, indexed: Sequence[Indexed]) -> int:
        return await self._index.put(project, [each.document for each in indexed], now_ms=self._now_ms())

    async def _put_alone(self, project: str, indexed: Indexed) -> bool:
        """Put one document, and tell whether the index can take it at all."""
        try:
            self.indexed += await self._put(project, [indexed])
        except SukkalError:
            raise
        except Exception:  # noqa: BLE001 - what the index chokes on must not keep the rest of the project waiting
            _log.exception("message %s cannot be indexed", indexed.document.message_id)
            return False
        return True

    async def _read(self, project: str, message: Message) -> Indexed | None:
        """Return what there is to index of a message: nothing if its queue is gone, or not searched any more."""
        await asyncio.sleep(0)  # Others get their turn: there may be many messages, and large ones.
        origin = origin_of(message.attributes)
        if origin is None:
            return None
        key = origin.key(project)
        queue = await self._store.get_queue(key)
        if queue is None or not is_searched(queue.metadata) or message.created_ms < queue.created_ms:
            return None
        try:
            found = document_of(self._recogniser, key, replace(message, ttl_s=origin.ttl_s))
        except Exception:  # noqa: BLE001 - what one format cannot read must not keep the rest of the project waiting
            _log.exception("message %s of queue %s cannot be indexed", message.id, key.name)
            return None
        return Indexed(found, origin)

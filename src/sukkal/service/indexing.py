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

from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import RevisionConflict, SukkalError, Unavailable
from sukkal.model import Ack, Message, NewClaim, QueueKey, Release, Subscription
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


class Indexing:
    """Brings what waits in backlogs into the index; ``indexed`` counts the events that it took.

    ``failed`` counts the attempts that were of no avail.
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
        self.indexed = 0
        self.failed = 0

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
        """Let nothing be found any more that came from a queue, which is no more."""
        try:
            await self._index.drop_queue(key)
        except Unavailable as error:
            _log.warning("what queue %s had stays in the index until it is too old: %s", key.name, error)

    async def index_some(self, key: QueueKey) -> bool:
        """Index the first of what waits in a backlog, and tell whether there was anything.

        Raises ``Unavailable``; then it waits on.
        """
        claim = NewClaim(id=self._new_id(), ttl_s=limits.SEARCH_LEASE_S, grace_s=limits.CLAIM_GRACE_S_MIN)
        limit = limits.SEARCH_INDEXED_AT_ONCE
        messages = await self._store.claim(key, claim, limit=limit, now_ms=self._now_ms())
        if not messages:
            return False
        try:
            later = await self._index_all(key.project, messages)
        except BaseException:
            self.failed += 1
            with contextlib.suppress(SukkalError):
                await self._store.settle(key, claim.id, {}, now_ms=self._now_ms(), rest=Release())
            raise
        await self._store.settle(key, claim.id, later, now_ms=self._now_ms(), rest=Ack())
        return True

    async def _index_all(self, project: str, messages: Sequence[Message]) -> dict[str, Release]:
        indexed = [found for message in messages if (found := await self._read(project, message)) is not None]
        if not indexed:
            return {}
        try:
            self.indexed += await self._put(project, indexed)
        except SukkalError:
            raise
        except Exception:  # noqa: BLE001 - found below, for each alone
            indexed = [each for each in indexed if await self._put_alone(project, each)]
        return await self._saved.tell(project, indexed)

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

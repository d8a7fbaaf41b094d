"""Removing queues, or what they hold, from all places where it is kept."""

import asyncio

from sukkal.model import Idle, Queue, QueueKey
from sukkal.service.attributes import is_searched
from sukkal.service.indexing import Indexing
from sukkal.service.listening import history_key
from sukkal.store import Store

__all__ = ["Removal"]


class Removal:
    """What everybody uses to whom a queue of a tenant has to go, so that nothing of it stays anywhere."""

    def __init__(self, store: Store, indexing: Indexing) -> None:
        self._store = store
        self._indexing = indexing

    async def remove(self, key: QueueKey, *, contents_only: bool = False) -> None:
        """Remove the queue with its messages, claims, history and what searches find of it.

        ``contents_only`` keeps the queue and its metadata. A queue that does not exist is no error.
        """
        queue = await self._store.get_queue(key)
        # The history first, so that it never outlives the queue.
        await asyncio.gather(
            self._store.delete_queue(history_key(key)), self._store.delete_queue(key, contents_only=contents_only)
        )
        await self._hide(queue)

    async def remove_idle(self, queue: Queue, idle: Idle, *, now_ms: int) -> bool:
        """Remove a queue with all that belongs to it, if it is still as idle as it was found; tell whether it was."""
        if not await self._store.delete_queue(queue.key, idle=idle, now_ms=now_ms):
            return False
        await self._store.delete_queue(history_key(queue.key))
        await self._hide(queue)
        return True

    async def _hide(self, queue: Queue | None) -> None:
        """Let searches find nothing of a queue, if they did."""
        if queue is not None and is_searched(queue.metadata):
            await self._indexing.forget(queue.key)

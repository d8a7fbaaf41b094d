"""Queues: what they are called, what is kept about them, and what they hold in sum."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import InvalidBody, InvalidRequest, RevisionConflict
from sukkal.model import Queue, QueueKey, QueueKind, Stats, Usage
from sukkal.service.attributes import (
    check_attributes,
    expires_after_s,
    history_s,
    is_ephemeral,
    is_searched,
    with_defaults,
)
from sukkal.service.encryption import Encryption
from sukkal.service.flavors import Flavors
from sukkal.service.idle import IdleQueues
from sukkal.service.indexing import Indexing
from sukkal.service.listening import history_key
from sukkal.service.pages import check_limit
from sukkal.service.patch import apply_changes
from sukkal.service.quotas import Quotas
from sukkal.service.removal import Removal
from sukkal.service.subscriptions import Subscriptions
from sukkal.settings import Settings
from sukkal.store import Store

__all__ = ["QueueFilter", "QueuePage", "Queues"]

_RESOURCES: Final = ("messages", "subscriptions")


class QueueFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which queues a listing shows: those whose name contains ``name`` and whose metadata have these values."""

    name: str = ""
    metadata: Mapping[str, str] = {}

    def shows(self, queue: Queue) -> bool:
        """Tell whether a queue passes."""
        if self.name not in queue.key.name:
            return False
        return all(_as_text(queue.metadata.get(key)) == value for key, value in self.metadata.items())


class QueuePage(msgspec.Struct, frozen=True):
    """Part of a listing. ``marker`` continues it, ``None`` at its end; ``total`` counts all queues, unfiltered."""

    queues: tuple[Queue, ...]
    marker: str | None
    total: int | None


class Queues:
    """The operations on queues."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        quotas: Quotas,
        encryption: Encryption,
        subscriptions: Subscriptions,
        indexing: Indexing,
        idle: IdleQueues,
        removal: Removal,
        flavors: Flavors,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._settings = settings
        self._quotas = quotas
        self._encryption = encryption
        self._subscriptions = subscriptions
        self._indexing = indexing
        self._idle = idle
        self._removal = removal
        self._flavors = flavors
        self._now_ms = now_ms

    async def create(self, key: QueueKey, metadata: Mapping[str, Any]) -> bool:
        """Create a queue and tell whether it is new; the metadata of one that exists stay as they are."""
        self._check(key, metadata)
        await self._flavors.check(metadata, None)
        if await self._store.get_queue(key) is not None:
            return False
        try:
            await self._put(key, metadata, None)
        except RevisionConflict:
            return False
        return True

    async def _put(
        self, key: QueueKey, metadata: Mapping[str, Any], revision: int | None, *, gap: bool = False
    ) -> None:
        if is_searched(metadata):
            await self._indexing.begin(key.project)
        if idle_s := expires_after_s(metadata):
            await self._idle.watch(key, idle_s)
        wanted = Usage(queues=1)
        limited = revision is None and self._quotas.limited(key.project)
        if limited:
            await self._quotas.take(key.project, wanted)
        try:
            await self._store.put_queue(key, metadata, revision=revision, now_ms=self._now_ms(), gap=gap)
        finally:
            if limited:
                self._quotas.settle(key.project, wanted)
        if idle_s and not self._idle.watches(key):
            # Somebody who had found the queue gone has let it be just now.
            await self._idle.watch(key, idle_s)

    async def get(self, key: QueueKey) -> dict[str, Any]:
        """Return the queue's metadata with all defaults; a queue nobody made yet has the defaults alone."""
        return with_defaults(await self.stored(key), self._settings)

    async def stored(self, key: QueueKey) -> Mapping[str, Any]:
        """Return the queue's metadata as they were given."""
        queue = await self._store.get_queue(key)
        return queue.metadata if queue else {}

    async def exists(self, key: QueueKey) -> bool:
        """Tell whether somebody has made the queue, by creating it or by posting to it."""
        return await self._store.get_queue(key) is not None

    def shown(self, queue: Queue) -> dict[str, Any]:
        """Return a listed queue's metadata with all defaults."""
        return with_defaults(queue.metadata, self._settings)

    async def change(self, key: QueueKey, changes: Sequence[Any]) -> dict[str, Any]:
        """Change the metadata, creating the queue if need be, and return what ``get`` returns afterwards."""
        for _ in range(limits.METADATA_RETRIES_MAX):
            queue = await self._store.get_queue(key)
            metadata = apply_changes(queue.metadata if queue else {}, changes)
            try:
                self._check(key, metadata)
                await self._flavors.check(metadata, queue)
            except InvalidRequest as error:
                raise InvalidBody(error.description) from None
            # What was posted while the queue stored nothing is in no past that somebody could come back to.
            gap = queue is not None and is_ephemeral(queue.metadata) and not is_ephemeral(metadata)
            if gap:
                await self._store.delete_queue(history_key(key))
            try:
                await self._put(key, metadata, queue.revision if queue else None, gap=gap)
            except RevisionConflict:
                continue
            if queue is not None and bool(history_s(queue.metadata)) != bool(history_s(metadata)):
                # What is posted while there is none would be missing from it.
                await self._store.delete_queue(history_key(key))
            if queue is not None and is_searched(queue.metadata) and not is_searched(metadata):
                await self._indexing.forget(key)
            return with_defaults(metadata, self._settings)
        raise RevisionConflict(f"The metadata of queue {key.name} change too fast. Try again.")

    async def delete(self, key: QueueKey) -> None:
        """Delete the queue and all that is in it; a queue that does not exist is no error."""
        queue = await self._store.get_queue(key)
        ordered = await self._subscriptions.arranged(key) if queue is not None and queue.subscriptions else ()
        await self._removal.remove(key)
        if queue is not None and expires_after_s(queue.metadata):
            await self._idle.forget(key)
        await self._subscriptions.ended(ordered)

    async def list(
        self,
        project: str,
        kind: QueueKind,
        *,
        marker: str,
        limit: int | None,
        shown: QueueFilter,
        total: bool,
    ) -> QueuePage:
        """Return the project's queues by name. A filtered page may be short and still have a marker."""
        limit = check_limit(
            limit, self._settings.max_queues_per_page, "Limit must be at least 1 and no greater than {}."
        )
        counted: int | None = None
        found: list[Queue] = []
        scanned = 0
        last: str | None = None
        while scanned < limits.QUEUE_FILTER_SCAN_MAX:
            page = await self._store.list_queues(
                project, kind, after=marker, limit=limit, total=total and counted is None
            )
            counted = page.total if counted is None else counted
            for queue in page.queues:
                last = marker = queue.key.name
                scanned += 1
                if shown.shows(queue):
                    found.append(queue)
                if len(found) == limit:
                    return QueuePage(tuple(found), last, counted)
            if len(page.queues) < limit:
                break
        return QueuePage(tuple(found), last, counted)

    async def stats(self, key: QueueKey) -> tuple[Stats, int]:
        """Return the queue's counts and the time they are of."""
        now_ms = self._now_ms()
        return await self._store.stats(key, now_ms=now_ms), now_ms

    async def purge(self, key: QueueKey, resources: object) -> None:
        """Empty the queue of its messages, claims included, or of its subscriptions."""
        if not isinstance(resources, list) or not all(resource in _RESOURCES for resource in resources):
            allowed = ", ".join(repr(name) for name in _RESOURCES)
            raise InvalidRequest(f"Resource types must be a sub set of {{{allowed}}}.")
        self._idle.use(key)
        if "messages" in resources:
            await self._removal.remove(key, contents_only=True)
        if "subscriptions" in resources:
            await self._subscriptions.purge(key)

    def _check(self, key: QueueKey, metadata: Mapping[str, Any]) -> None:
        size_max = self._settings.max_queue_metadata
        if len(msgspec.json.encode(metadata)) > size_max:
            raise InvalidRequest(f"Queue metadata is too large. Max size: {size_max}")
        check_attributes(metadata, self._settings, queue_name=key.name, can_encrypt=self._encryption.ready)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()

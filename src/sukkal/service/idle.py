"""Queues that go when nobody has used them for so long (``_expires_after``).

When a queue was used last is known to this process alone, so that reading costs no write: a queue that a process finds
when it starts has its whole time before it again. A record for each such queue tells the next process of it. Where
several nodes share a store, the record says besides when the queue was used: each node that uses it writes that after
every fourth part of its time, and the queue stays so much longer. Whoever sees that a queue's time is over looks at it
first and then at who uses it; the store removes it only if it is as it was seen.
"""

import heapq
import logging
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from sukkal import limits
from sukkal.model import Idle, Queue, QueueKey, QueueKind, RecordKey, View
from sukkal.records import Records
from sukkal.service.attributes import expires_after_s
from sukkal.service.listening import Listeners, history_key
from sukkal.service.removal import Removal
from sukkal.service.uses import Uses
from sukkal.service.waiting import Waiting
from sukkal.store import Store

__all__ = ["IdleQueues"]

_log: Final = logging.getLogger("sukkal.idle")

_KIND: Final = "expiring_queue"
_PARTS: Final = 4
_ROUNDS: Final = 2
_ANYTHING: Final = View(claimed=True, delayed=True)


class _Kept(Store, Records, Protocol):
    """A store with records."""


class _Term(msgspec.Struct, frozen=True):
    """How long a queue may be idle, as its record says, and when a node has used it."""

    idle_s: int
    used_ms: int = 0


_term: Final = msgspec.json.Decoder(_Term)


class IdleQueues:
    """Knows when queues that expire were used, and removes those that nobody uses.

    Where nodes share the store, ``round_s`` is how often each of them makes a round.
    """

    def __init__(
        self,
        store: _Kept,
        uses: Uses,
        waiting: Waiting,
        listeners: Listeners,
        removal: Removal,
        now_ms: Callable[[], int],
        *,
        round_s: int | None = None,
    ) -> None:
        self._round_s = round_s
        self._terms: dict[QueueKey, int] = {}
        self._told_ms: dict[QueueKey, int] = {}
        self._store = store
        self._waiting = waiting
        self._listeners = listeners
        self._removal = removal
        self._now_ms = now_ms
        self._uses = uses
        self._due: list[tuple[int, QueueKey]] = []
        self._due_ms: dict[QueueKey, int] = {}
        self._read_from: tuple[str, str] | None = ("", "")

    async def watch(self, key: QueueKey, idle_s: int) -> None:
        """See to it that a queue goes when it is not used, before it is given that attribute."""
        self._expect(key, idle_s)
        await self._note(key, idle_s)

    def watches(self, key: QueueKey) -> bool:
        """Tell whether a queue is known here, as all are that go."""
        return key in self._due_ms

    def use(self, key: QueueKey) -> None:
        """Take note that somebody uses a queue now."""
        self._uses.note(key)

    async def forget(self, key: QueueKey) -> None:
        """Let a queue be that is gone or has lost the attribute, and remove the history of one that is gone."""
        queue = await self._store.get_queue(key)
        if queue is not None and expires_after_s(queue.metadata):
            return  # Somebody has made it anew meanwhile.
        self._uses.forget(key)
        self._due_ms.pop(key, None)
        self._terms.pop(key, None)
        self._told_ms.pop(key, None)
        self._compact()
        if queue is None:
            # Before the record: should this process die here, the next one finds what is left of the queue.
            await self._store.delete_queue(history_key(key))
        if self._uses.last_ms(key) is None:  # Nobody has made it anew meanwhile.
            await self._store.delete_record(_record(key), now_ms=self._now_ms())

    async def expire(self) -> int:
        """Remove queues whose time is over, as many as one round may, and return how many."""
        if self._read_from is not None:
            await self._read(self._read_from)
        if self._round_s is not None:
            await self._tell()
        removed = 0
        for _ in range(limits.IDLE_QUEUES_PER_ROUND):
            if (key := self._next()) is None:
                break
            try:
                removed += await self._look(key)
            except BaseException:
                if self.watches(key):
                    # A little later, so that others come first if this one alone cannot be looked at.
                    self._look_at(key, self._now_ms() + 1)
                raise
        return removed

    def _next(self) -> QueueKey | None:
        """Return a queue whose time may be over, if there is one."""
        now_ms = self._now_ms()
        while self._due and self._due[0][0] <= now_ms:
            due_ms, key = heapq.heappop(self._due)
            if self._due_ms.get(key) == due_ms:
                return key
        return None

    def _expect(self, key: QueueKey, idle_s: int, used_ms: int | None = None) -> None:
        self._uses.begin(key, used_ms)
        self._plan(key, idle_s)

    def _plan(self, key: QueueKey, idle_s: int) -> None:
        """Look at a queue when its time may be over."""
        self._terms[key] = idle_s
        self._look_at(key, self._ends_ms(key, idle_s))

    def _look_at(self, key: QueueKey, due_ms: int) -> None:
        """Look at a queue at a time; what was planned before does not count."""
        self._due_ms[key] = due_ms
        heapq.heappush(self._due, (due_ms, key))
        self._compact()

    def _compact(self) -> None:
        """Drop what does not count any more when that is most of what was planned."""
        if len(self._due) > 2 * len(self._due_ms):
            self._due = [(due_ms, key) for key, due_ms in self._due_ms.items()]
            heapq.heapify(self._due)

    async def _read(self, after: tuple[str, str]) -> None:
        """Learn of queues that an earlier process has left, a page of them."""
        page = await self._store.list_records(
            _KIND, None, after=after, limit=limits.IDLE_QUEUES_PER_ROUND, now_ms=self._now_ms()
        )
        for record in page.records:
            kind, _, name = record.key.name.partition("/")
            key = QueueKey(record.key.project, name, msgspec.convert(kind, QueueKind))
            term = _term.decode(record.value)
            if self._uses.last_ms(key) is None:
                self._expect(key, term.idle_s, term.used_ms or None)
            elif term.used_ms:
                self._learned(key, term.used_ms)
        # Other nodes make new ones all the time.
        self._read_from = page.next or (None if self._round_s is None else ("", ""))

    async def _note(self, key: QueueKey, idle_s: int) -> None:
        used_ms = 0
        if self._round_s is not None:
            await self._learn(key)
            used_ms = self._uses.last_ms(key) or 0
        await self._store.put_record(_record(key), msgspec.json.encode(_Term(idle_s, used_ms)), now_ms=self._now_ms())
        self._told_ms[key] = used_ms

    async def _learn(self, key: QueueKey) -> None:
        record = await self._store.get_record(_record(key), now_ms=self._now_ms())
        self._learned(key, 0 if record is None else _term.decode(record.value).used_ms)

    def _learned(self, key: QueueKey, used_ms: int) -> None:
        if self.watches(key):
            self._uses.learn(key, used_ms)
            self._told_ms[key] = max(self._told_ms.get(key, 0), used_ms)

    async def _tell(self) -> None:
        """Let other nodes know what is used here."""
        told = 0
        for key in list(self._due_ms):
            if self._waiting.at(key) or self._listeners.at(key):
                self._uses.note(key)
            used_ms, told_ms = self._uses.last_ms(key), self._told_ms.get(key, 0)
            idle_s = self._terms.get(key, 0)
            if used_ms is None or used_ms - told_ms < idle_s * limits.SECOND_MS // _PARTS:
                continue
            await self._note(key, idle_s)
            told += 1
            if told >= limits.IDLE_QUEUES_PER_ROUND:
                return

    async def _look(self, key: QueueKey) -> bool:
        """Remove a queue if its time is over; else look again when it may be."""
        now_ms, used_ms = self._now_ms(), self._uses.last_ms(key)
        if used_ms is None:
            return False
        page = await self._store.browse(key, after=None, limit=1, view=_ANYTHING, now_ms=now_ms)
        queue = await self._store.get_queue(key)
        idle_s = expires_after_s(queue.metadata) if queue is not None else 0
        if queue is None or not idle_s:
            if self._uses.last_ms(key) == used_ms:
                await self.forget(key)
            return False
        if self._in_use(queue):
            self._uses.note(key)
        if self._round_s is not None:
            await self._learn(key)
        if self._ends_ms(key, idle_s) <= now_ms:
            idle = Idle(revision=queue.revision, last=page.last)
            if await self._removal.remove_idle(queue, idle, now_ms=now_ms):
                await self.forget(key)
                _log.info("queue %s of project %s was not used for %s s and is gone", key.name, key.project, idle_s)
                return True
            # A claim, or somebody who was faster: that is a use, too.
            self._uses.note(key)
        self._plan(key, idle_s)
        return False

    def _ends_ms(self, key: QueueKey, idle_s: int) -> int:
        stays_s = idle_s
        if self._round_s is not None:
            # So long may another node have used it without having told.
            stays_s += idle_s // _PARTS + _ROUNDS * self._round_s
        return (self._uses.last_ms(key) or 0) + stays_s * limits.SECOND_MS

    def _in_use(self, queue: Queue) -> bool:
        return bool(queue.subscriptions) or self._waiting.at(queue.key) or self._listeners.at(queue.key)


def _record(key: QueueKey) -> RecordKey:
    return RecordKey(_KIND, key.project, f"{key.kind}/{key.name}")

"""Which number stands for the contents of which queue, and the counter that all numbers come from."""

from typing import NamedTuple

import apsw
import msgspec
from msgspec.structs import replace

from sukkal.engines.sqlite.rows import queue_of
from sukkal.engines.sqlite.statements import SQL
from sukkal.model import Queue, QueueKey

__all__ = ["Catalogue", "Entry"]

_ENTRIES_MAX = 50_000
_NO_METADATA = msgspec.json.encode({})


class Entry(NamedTuple):
    """A queue, and the number of its contents."""

    number: int
    queue: Queue


class Catalogue:
    """The writer's view of the queues within a transaction, and the readers' view of what is committed.

    Entries are cached; a transaction's own changes are kept apart until it has been committed.
    """

    def __init__(self, writer: apsw.Connection, reader: apsw.Connection) -> None:
        self._writer = writer
        self._reader = reader
        self._committed: dict[QueueKey, Entry] = {}
        self._changed: dict[QueueKey, Entry | None] = {}
        self._removed: dict[int, int] = {}
        self._last = self._saved = 0
        self.roll_back()

    # -- reading

    def known(self, key: QueueKey) -> Entry | None:
        """Return the committed entry of a queue if it is at hand."""
        return self._committed.get(key)

    def find(self, key: QueueKey) -> Entry | None:
        """Return the committed entry of a queue."""
        entry = self._committed.get(key)
        if entry is None:
            entry = self._load(self._reader, key)
            # What the running transaction has changed is not remembered from before its commit.
            if entry is not None and key not in self._changed:
                self._remember(key, entry)
        return entry

    @property
    def last(self) -> int:
        """The greatest number that was given and committed."""
        return self._saved

    # -- within a transaction

    def next_number(self) -> int:
        """Return a number that was never given before."""
        self._last += 1
        return self._last

    def removed(self, number: int, sequence: int) -> None:
        """Take note that a message is gone from a queue that somebody may listen to."""
        if sequence > self._removed.get(number, 0):
            self._removed[number] = sequence

    def forget_removed(self, number: int) -> None:
        """Forget what is gone from contents that are gone themselves."""
        self._removed.pop(number, None)
        self._writer.execute(SQL.forget_removed, (number,))

    def present(self, key: QueueKey) -> Entry | None:
        """Return the entry of a queue as this transaction sees it."""
        if key in self._changed:
            return self._changed[key]
        entry = self._committed.get(key)
        if entry is None:
            entry = self._load(self._writer, key)
            if entry is not None:
                self._remember(key, entry)
        return entry

    def ensure(self, key: QueueKey, now_ms: int) -> Entry:
        """Return the entry of a queue, creating the queue if it does not exist."""
        return self.present(key) or self.create(key, _NO_METADATA, now_ms)

    def create(self, key: QueueKey, metadata: bytes, now_ms: int) -> Entry:
        """Create a queue that does not exist."""
        entry = Entry(self.next_number(), queue_of(key, metadata, 1, now_ms))
        self._writer.execute(SQL.insert_queue, (key.project, key.kind, key.name, entry.number, metadata, 1, now_ms))
        self._changed[key] = entry
        return entry

    def replace(self, entry: Entry, metadata: bytes) -> Entry:
        """Give a queue other metadata."""
        old = entry.queue
        queue = queue_of(old.key, metadata, old.revision + 1, old.created_ms, old.subscriptions)
        self._writer.execute(SQL.update_queue, (metadata, queue.revision, entry.number))
        changed = self._changed[old.key] = Entry(entry.number, queue)
        return changed

    def count_subscriptions(self, entry: Entry, more: int) -> None:
        """Keep how many subscriptions a queue has."""
        queue = replace(entry.queue, subscriptions=entry.queue.subscriptions + more)
        self._writer.execute(SQL.count_subscriptions, (queue.subscriptions, entry.number))
        self._changed[queue.key] = Entry(entry.number, queue)

    def clear(self, entry: Entry) -> None:
        """Give up a queue's contents but keep the queue."""
        number = self.next_number()
        self._writer.execute(SQL.drop_contents, (entry.number,))
        self._writer.execute(SQL.renumber_queue, (number, entry.number))
        self._changed[entry.queue.key] = Entry(number, entry.queue)

    def remove(self, entry: Entry) -> None:
        """Give up a queue and its contents."""
        key = entry.queue.key
        self._writer.execute(SQL.drop_contents, (entry.number,))
        self._writer.execute(SQL.delete_queue, (key.project, key.kind, key.name))
        self._changed[key] = None

    # -- at its end

    def save(self) -> None:
        """Write the counter if this transaction took numbers, and what it removed last from each queue."""
        if self._last != self._saved:
            self._writer.execute(SQL.save_counter, (self._last,))
        if self._removed:
            self._writer.executemany(SQL.save_removed, self._removed.items())
            self._removed.clear()

    def commit(self) -> None:
        """Make the transaction's changes those that readers see."""
        self._saved = self._last
        for key, entry in self._changed.items():
            if entry is None:
                self._committed.pop(key, None)
            else:
                self._remember(key, entry)
        self._changed.clear()

    def roll_back(self) -> None:
        """Forget what the transaction changed; what is true now is in the database."""
        self._changed.clear()
        self._removed.clear()
        self._committed.clear()
        self._last = self._saved = self._writer.execute(SQL.counter).get

    def _remember(self, key: QueueKey, entry: Entry) -> None:
        if len(self._committed) >= _ENTRIES_MAX:
            del self._committed[next(iter(self._committed))]
        self._committed[key] = entry

    @staticmethod
    def _load(connection: apsw.Connection, key: QueueKey) -> Entry | None:
        for number, *queue in connection.execute(SQL.queue, (key.project, key.kind, key.name)):
            return Entry(number, queue_of(key, *queue))
        return None

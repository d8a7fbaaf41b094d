"""Which number stands for the contents of which queue, who has subscribed, and the counter for all numbers."""

from typing import Final, NamedTuple

import apsw
import msgspec
from msgspec.structs import replace

from sukkal.engines.marks import mark_of
from sukkal.engines.sqlite.committed import Committed
from sukkal.engines.sqlite.rolls import Roll, load_roll
from sukkal.engines.sqlite.rows import queue_of
from sukkal.engines.sqlite.statements import SQL
from sukkal.model import Queue, QueueKey

__all__ = ["Catalogue", "Entry"]

_ENTRIES_MAX: Final = 50_000
_ROLLS_BYTES_MAX: Final = 64 << 20
_NO_METADATA: Final = msgspec.json.encode({})
_WATCHED: Final = ("queue", "topic", "history")  # Nobody listens to backlogs.
_NOBODY: Final = Roll((), 0)


class Entry(NamedTuple):
    """A queue, the number of its contents, for a backlog when it ends, and the token of who brought it here."""

    number: int
    queue: Queue
    ends_ms: int | None = None
    token: int = 0


class Catalogue:
    """The writer's view of the queues within a transaction, and the readers' view of what is committed."""

    def __init__(self, writer: apsw.Connection, reader: apsw.Connection) -> None:
        self._writer = writer
        self._queues = Committed(_load, writer=writer, reader=reader, weight_max=_ENTRIES_MAX)
        self._rolls: Committed[QueueKey, Roll] = Committed(
            load_roll,
            writer=writer,
            reader=reader,
            weight_max=_ROLLS_BYTES_MAX,
            weight=lambda roll: roll.weight,
        )
        self._removed: dict[int, int] = {}
        self._last = self._saved = 0
        self.roll_back()

    # -- reading

    def known(self, key: QueueKey) -> Entry | None:
        """Return the committed entry of a queue if it is at hand."""
        return self._queues.known(key)

    def find(self, key: QueueKey) -> Entry | None:
        """Return the committed entry of a queue, or of a backlog that may have ended."""
        return self._queues.find(key)

    def find_live(self, key: QueueKey, now_ms: int) -> Entry | None:
        """Return the committed entry of a queue, or of a backlog that has not ended."""
        return _live(self._queues.find(key), now_ms)

    def find_roll(self, key: QueueKey, *, limit: int) -> Roll | None:
        """Return the committed subscriptions of a queue if they are at hand, or no more than so many."""
        roll = self._rolls.known(key)
        if roll is not None:
            return roll
        entry = self._queues.find(key)
        if entry is None or not entry.queue.subscriptions:
            return _NOBODY
        return self._rolls.find(key) if entry.queue.subscriptions <= limit else None

    @property
    def last(self) -> int:
        """The greatest number that was given and committed."""
        return self._saved

    # -- within a transaction

    def next_number(self) -> int:
        """Return a number that was never given before."""
        self._last += 1
        return self._last

    def raise_numbers(self, above: int) -> None:
        """Give only numbers greater than ``above`` from now on."""
        self._last = max(self._last, above)

    def removed(self, number: int, sequence: int) -> None:
        """Take note that a message is gone from a queue that somebody may listen to."""
        if sequence > self._removed.get(number, 0):
            self._removed[number] = sequence

    def last_removed(self, number: int) -> int:
        """Return the greatest sequence of what is gone from a queue, 0 if nothing is."""
        saved = next((sequence for (sequence,) in self._writer.execute(SQL.removed, (number,))), 0)
        return max(saved, self._removed.get(number, 0))

    def forget_removed(self, number: int) -> None:
        """Forget what is gone from contents that are gone themselves."""
        self._removed.pop(number, None)
        self._writer.execute(SQL.forget_removed, (number,))

    def present(self, key: QueueKey) -> Entry | None:
        """Return the entry of a queue as this transaction sees it, or of a backlog that may have ended."""
        return self._queues.present(key)

    def present_live(self, key: QueueKey, now_ms: int) -> Entry | None:
        """Return the entry of a queue as this transaction sees it, or of a backlog that has not ended."""
        return _live(self._queues.present(key), now_ms)

    def ensure(self, key: QueueKey, now_ms: int) -> Entry:
        """Return the entry of a queue, creating the queue if it does not exist."""
        return self.present(key) or self.create(key, _NO_METADATA, now_ms)

    def ensure_backlog(self, key: QueueKey, ends_ms: int, now_ms: int) -> None:
        """Let a backlog end at a time, creating it if it does not exist."""
        entry = self.present(key)
        if entry is None:
            self.create(key, _NO_METADATA, now_ms, ends_ms=ends_ms)
        elif entry.ends_ms != ends_ms:
            self._writer.execute(SQL.end_backlog, (ends_ms, entry.number))
            self._change(entry._replace(ends_ms=ends_ms))

    def create(self, key: QueueKey, metadata: bytes, now_ms: int, *, ends_ms: int | None = None) -> Entry:
        """Create a queue that does not exist."""
        entry = Entry(self.next_number(), queue_of(key, metadata, 1, now_ms), ends_ms)
        row = (key.project, key.kind, key.name, entry.number, metadata, 1, now_ms, ends_ms)
        self._writer.execute(SQL.insert_queue, row)
        return self._change(entry)

    def replace(self, entry: Entry, metadata: bytes) -> Entry:
        """Give a queue other metadata."""
        old = entry.queue
        queue = queue_of(old.key, metadata, old.revision + 1, old.created_ms, old.subscriptions)
        self._writer.execute(SQL.update_queue, (metadata, queue.revision, entry.number))
        return self._change(entry._replace(queue=queue))

    def reframe(self, entry: Entry) -> None:
        """Keep what is said of a queue that is staged."""
        queue = entry.queue
        metadata = msgspec.json.encode(queue.metadata)
        said = (metadata, queue.revision, queue.created_ms, entry.ends_ms, entry.token)
        self._writer.execute(SQL.frame_queue, (*said, entry.number))
        self._change(entry)

    def rename(self, entry: Entry, key: QueueKey, subscriptions: int) -> None:
        """Let a queue that is staged be seen under its own key, with its subscriptions."""
        self._writer.execute(SQL.open_queue, (key.kind, entry.number))
        self._writer.execute(SQL.count_subscriptions, (subscriptions, entry.number))
        self._queues.change(entry.queue.key, None)
        self._change(entry._replace(queue=replace(entry.queue, key=key, subscriptions=subscriptions)))
        self.subscriptions_changed(key)
        number = self.next_number()
        self.removed(entry.number, number)
        if key.kind in _WATCHED:
            self.removed(mark_of(key), number)

    def count_subscriptions(self, entry: Entry, more: int) -> None:
        """Keep how many subscriptions a queue has."""
        queue = replace(entry.queue, subscriptions=entry.queue.subscriptions + more)
        self._writer.execute(SQL.count_subscriptions, (queue.subscriptions, entry.number))
        self._change(entry._replace(queue=queue))

    def subscriptions_changed(self, key: QueueKey) -> None:
        """Take note that the subscriptions of a queue are not what they were."""
        self._rolls.change(key, None)

    def clear(self, entry: Entry) -> None:
        """Give up a queue's contents but keep the queue."""
        number = self.next_number()
        self.removed(mark_of(entry.queue.key), number)
        self._writer.execute(SQL.drop_contents, (entry.number,))
        self._writer.execute(SQL.renumber_queue, (number, entry.number))
        self._change(entry._replace(number=number))

    def remove(self, entry: Entry) -> None:
        """Give up a queue and its contents."""
        key = entry.queue.key
        if key.kind in _WATCHED:
            self.removed(mark_of(key), self.next_number())
        self._writer.execute(SQL.drop_contents, (entry.number,))
        self._writer.execute(SQL.delete_queue, (key.project, key.kind, key.name))
        self._queues.change(key, None)

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
        self._queues.commit()
        self._rolls.commit()

    def roll_back(self) -> None:
        """Forget what the transaction changed; what is true now is in the database."""
        self._queues.roll_back()
        self._rolls.roll_back()
        self._removed.clear()
        self._last = self._saved = self._writer.execute(SQL.counter).get

    def _change(self, entry: Entry) -> Entry:
        self._queues.change(entry.queue.key, entry)
        return entry


def _live(entry: Entry | None, now_ms: int) -> Entry | None:
    return None if entry is None or (entry.ends_ms is not None and now_ms >= entry.ends_ms) else entry


def _load(connection: apsw.Connection, key: QueueKey) -> Entry | None:
    for number, ends_ms, token, *queue in connection.execute(SQL.queue, (key.project, key.kind, key.name)):
        return Entry(number, queue_of(key, *queue), ends_ms, token)
    return None

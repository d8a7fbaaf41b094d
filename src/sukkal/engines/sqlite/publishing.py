"""Steps that put messages in and take them out by id."""

from collections.abc import Sequence

import apsw
import msgspec

from sukkal import limits
from sukkal.engines.lifetimes import lifetime_class
from sukkal.engines.sqlite.catalogue import Catalogue
from sukkal.engines.sqlite.repetitions import earlier
from sukkal.engines.sqlite.rows import fetch
from sukkal.engines.sqlite.statements import SQL
from sukkal.engines.sqlite.writer import Slices
from sukkal.model import Deleted, NewMessage, Once, Post, Published, QueueKey

__all__ = ["delete_messages", "publish"]


def publish(
    writer: apsw.Connection, catalogue: Catalogue, posts: Sequence[Post], *, now_ms: int, once: Once | None
) -> Published | Slices[Published]:
    """Store the messages of all posts, so many at once that others have not long to wait for their turn."""
    if once is None and len(posts) == 1 and len(posts[0].messages) <= limits.GROUP_COMMIT_ROWS_AT_ONCE:
        return _publish_at_once(writer, catalogue, posts[0], now_ms)
    return _publish_in_slices(writer, catalogue, posts, now_ms=now_ms, once=once)


def _publish_at_once(writer: apsw.Connection, catalogue: Catalogue, post: Post, now_ms: int) -> Published:
    key, messages = post.queue, post.messages
    number, backlog = _number(catalogue, key, now_ms) or 0, key.kind == "backlog"
    stored = tuple([_insert(writer, catalogue, number, each, now_ms, backlog=backlog) for each in messages])
    return Published((tuple([each.id for each in messages]),), epochs=(number,), sequences=(stored,))


def _publish_in_slices(
    writer: apsw.Connection, catalogue: Catalogue, posts: Sequence[Post], *, now_ms: int, once: Once | None
) -> Slices[Published]:
    if once is not None and (entry := catalogue.present(posts[0].queue)) is not None:
        known = earlier(writer, entry.number, once, now_ms)
        if known is not None:
            return Published(known, repeated=True)
    epochs: list[int] = []
    sequences: list[tuple[int, ...]] = []
    room = limits.GROUP_COMMIT_ROWS_AT_ONCE
    for post in posts:
        number = _number(catalogue, post.queue, now_ms) or 0
        backlog = post.queue.kind == "backlog"
        stored: list[int] = []
        for message in post.messages:
            if room == 0:
                yield
                room = limits.GROUP_COMMIT_ROWS_AT_ONCE
            room -= 1
            stored.append(_insert(writer, catalogue, number, message, now_ms, backlog=backlog))
        epochs.append(number)
        sequences.append(tuple(stored))
    ids = tuple([tuple([message.id for message in post.messages]) for post in posts])
    if once is not None:
        number = catalogue.ensure(posts[0].queue, now_ms).number
        # Nobody asks again for the ids of copies.
        encoded = msgspec.json.encode(ids[:1])
        writer.execute(SQL.save_once, (number, once.key, once.fingerprint, encoded, once.expires_ms))
    return Published(ids, epochs=tuple(epochs), sequences=tuple(sequences))


def delete_messages(
    writer: apsw.Connection, catalogue: Catalogue, key: QueueKey, ids: Sequence[str], *, now_ms: int, claimed: bool
) -> dict[str, Deleted]:
    """Delete live messages by id, claimed ones only if asked to."""
    entry = catalogue.present_live(key, now_ms)
    if entry is None:
        return dict.fromkeys(ids, Deleted.MISSING)
    sql = SQL.delete_live_ids if claimed else SQL.delete_unclaimed_ids
    gone = fetch(writer, sql, (entry.number, msgspec.json.encode(ids).decode(), now_ms))
    if gone:
        catalogue.removed(entry.number, max([sequence for _, sequence in gone]))
    outcome = dict.fromkeys([id_ for id_, _ in gone], Deleted.DONE)
    for id_ in ids:
        if id_ not in outcome:
            there = not claimed and fetch(writer, SQL.place, (entry.number, id_, now_ms))
            outcome[id_] = Deleted.CLAIMED if there else Deleted.MISSING
    return outcome


def _number(catalogue: Catalogue, key: QueueKey, now_ms: int) -> int | None:
    """Return the number of a queue, which comes into being with its first message; a backlog does not."""
    entry = catalogue.present_live(key, now_ms) if key.kind == "backlog" else catalogue.ensure(key, now_ms)
    return entry.number if entry else None


def _insert(
    writer: apsw.Connection, catalogue: Catalogue, queue: int, message: NewMessage, now_ms: int, *, backlog: bool
) -> int:
    """Return the sequence of a message that was stored, 0 if it was not."""
    if not queue:
        return 0
    expires_ms = now_ms + message.ttl_s * 1_000
    visible_ms = now_ms + message.delay_s * 1_000
    row = (
        catalogue.next_number(),
        queue,
        message.id,
        message.client,
        now_ms,
        message.ttl_s,
        expires_ms,
        visible_ms,
        lifetime_class(expires_ms - visible_ms),
        message.attributes,
        message.body,
        backlog,
        message.key,
    )
    writer.execute(SQL.insert_message, row)
    if writer.changes():
        if message.key is not None:
            _replace_older(writer, catalogue, queue, message.key, row[0], now_ms)
        return row[0]
    # The id is there already. If that message has expired and only waits to be swept, it makes room.
    gone = fetch(writer, SQL.delete_expired_id, (queue, message.id, now_ms))
    if not gone:
        return 0
    if not backlog:
        catalogue.removed(queue, *gone[0])
    writer.execute(SQL.insert_message, row)
    if message.key is not None:
        _replace_older(writer, catalogue, queue, message.key, row[0], now_ms)
    return row[0]


def _replace_older(
    writer: apsw.Connection, catalogue: Catalogue, queue: int, key: bytes, sequence: int, now_ms: int
) -> None:
    """Remove what nobody has claimed and a message with the same key takes the place of."""
    for (gone,) in fetch(writer, SQL.replace_older, (queue, key, sequence, now_ms)):
        catalogue.removed(queue, gone)

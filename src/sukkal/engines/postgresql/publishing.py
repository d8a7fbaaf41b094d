"""Putting messages in and taking them out by id, for all calls of a batch at once."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from sukkal.engines.lifetimes import lifetime_class
from sukkal.engines.postgresql.batches import KeyColumns, columns, known_as
from sukkal.engines.postgresql.database import Connection, fetch_one
from sukkal.engines.postgresql.repetitions import conflict, ids_of
from sukkal.engines.postgresql.statements import SQL
from sukkal.errors import IdempotencyConflict
from sukkal.model import Deleted, NewMessage, Once, Post, Published, QueueKey

__all__ = ["Deleting", "Publishing", "delete_messages", "publish"]

_DELETED: Final = (Deleted.DONE, Deleted.CLAIMED, Deleted.MISSING)


class Publishing(NamedTuple):
    """A call of ``publish``."""

    posts: Sequence[Post]
    now_ms: int
    once: Once | None


class Deleting(NamedTuple):
    """A call of ``delete_messages``, with each id once."""

    key: QueueKey
    ids: Sequence[str]
    now_ms: int
    claimed: bool


async def publish(connection: Connection, calls: Sequence[Publishing]) -> list[Published | IdempotencyConflict]:
    """Store the messages of all calls."""
    keys = KeyColumns()
    call_rows: list[tuple[Any, ...]] = []
    post_rows: list[tuple[int, int]] = []
    message_rows: list[tuple[Any, ...]] = []
    for number, call in enumerate(calls, start=1):
        call_rows.append((call.now_ms, keys.place(call.posts[0].queue), *_remembered(call)))
        for post in call.posts:
            post_rows.append((number, keys.place(post.queue)))
            place, now_ms = len(post_rows), call.now_ms
            message_rows += [_message_row(place, message, now_ms) for message in post.messages]
    its_epochs, its_sequences, known, conflicts = await fetch_one(
        connection,
        SQL.publish,
        *keys.columns(),
        keys.marks(),
        *columns(call_rows, 6),
        *columns(post_rows, 2),
        *columns(message_rows, 10),
    )
    epochs, sequences, nothing = iter(its_epochs), iter(its_sequences), [None] * len(calls)
    return [
        _published(call, epochs, sequences, *before)
        for call, *before in zip(calls, known or nothing, conflicts or nothing, strict=True)
    ]


def _remembered(call: Publishing) -> tuple[str | None, bytes | None, bytes | None, int | None]:
    once = call.once
    if once is None:
        return None, None, None, None
    # Nobody asks again for the ids of copies.
    ids = msgspec.json.encode(([message.id for message in call.posts[0].messages],))
    return once.key, once.fingerprint, ids, once.expires_ms


def _message_row(post: int, message: NewMessage, now_ms: int) -> tuple[Any, ...]:
    expires_ms = now_ms + message.ttl_s * 1_000
    visible_ms = now_ms + message.delay_s * 1_000
    return (
        post,
        message.id,
        message.client,
        message.ttl_s,
        expires_ms,
        visible_ms,
        lifetime_class(expires_ms - visible_ms),
        message.attributes,
        message.key,
        message.body,
    )


def _published(
    call: Publishing, epochs: Iterator[int], sequences: Iterator[int], known: bytes | None, conflicts: bool | None
) -> Published | IdempotencyConflict:
    posts = call.posts
    its_epochs = tuple([next(epochs) for _ in posts])
    its_sequences = tuple([tuple([next(sequences) for _ in post.messages]) for post in posts])
    if conflicts:
        return conflict()
    if known is not None:
        return Published(ids_of(known), repeated=True)
    ids = tuple([tuple([message.id for message in post.messages]) for post in posts])
    return Published(ids, epochs=its_epochs, sequences=its_sequences)


async def delete_messages(connection: Connection, calls: Sequence[Deleting]) -> list[dict[str, Deleted]]:
    """Delete live messages by id, claimed ones only for calls that ask for it."""
    keys = KeyColumns()
    call_rows = [(keys.place(call.key), call.now_ms, call.claimed) for call in calls]
    ids = [(number, known_as(id_)) for number, call in enumerate(calls, start=1) for id_ in call.ids]
    outcomes = iter(
        await connection.fetchval(SQL.delete_messages, *keys.columns(), *columns(call_rows, 3), *columns(ids, 2))
    )
    return [{id_: _DELETED[next(outcomes)] for id_ in call.ids} for call in calls]

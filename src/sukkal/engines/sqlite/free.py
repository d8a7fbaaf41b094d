"""The free view: what can be claimed now, found by seeks only."""

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter
from typing import Final

import apsw

from sukkal.engines.lifetimes import SET_ASIDE, longest_ms
from sukkal.engines.sqlite.rows import MessageRow, fetch, message_of
from sukkal.engines.sqlite.statements import SQL
from sukkal.model import Message, Position

__all__ = ["free_messages", "lifetimes_of", "set_aside_messages"]

_order: Final = attrgetter("visible_ms", "sequence")


def lifetimes_of(connection: apsw.Connection, queue: int, *, at_least: int = 0) -> list[int]:
    """Return the classes of lifetimes that the queue's messages fall into."""
    return [lifetime for (lifetime,) in fetch(connection, SQL.lifetimes, (queue, at_least))]


def free_messages(
    connection: apsw.Connection, queue: int, *, after: Position | None, limit: int, now_ms: int
) -> list[Message]:
    """Return the first free messages after a position, in order."""
    classes = lifetimes_of(connection, queue)
    found: list[Iterable[Message]] = [
        _free_in_class(connection, queue, lifetime, after, limit, now_ms) for lifetime in classes
    ]
    if len(found) == 1:
        return list(found[0])
    return list(islice(heapq.merge(*found, key=_order), limit))


def set_aside_messages(connection: apsw.Connection, queue: int, *, limit: int, now_ms: int) -> list[Message]:
    """Return the first messages that were claimed too often and are held by nobody."""
    return list(_free_in_class(connection, queue, SET_ASIDE, None, limit, now_ms))


def _free_in_class(
    connection: apsw.Connection, queue: int, lifetime: int, after: Position | None, limit: int, now_ms: int
) -> Iterator[Message]:
    # Whatever could have been claimed that long ago has expired.
    start_ms = now_ms - longest_ms(lifetime) if lifetime != SET_ASIDE else -1
    rows: list[MessageRow] = []
    if after is not None and start_ms < after.at_ms <= now_ms:
        start_ms = after.at_ms
        rows += fetch(connection, SQL.free_messages_at, (queue, lifetime, *after, now_ms, limit))
    if len(rows) < limit:
        rows += fetch(connection, SQL.free_messages, (queue, lifetime, start_ms, now_ms, now_ms, limit - len(rows)))
    return map(message_of, rows)

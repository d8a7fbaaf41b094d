"""Reads: of one committed state each, on a connection that changes nothing."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import apsw

from sukkal import limits
from sukkal.engines.lifetimes import NEVER, SET_ASIDE, is_exact, longest_ms, shortest_ms
from sukkal.engines.marks import mark_of
from sukkal.engines.sqlite.free import free_messages, lifetimes_of
from sukkal.engines.sqlite.rows import MessageRow, claim_of, count, fetch, message_of, queue_of
from sukkal.engines.sqlite.statements import SQL
from sukkal.model import (
    Claim,
    HeldClaim,
    Message,
    Page,
    Position,
    QueueKey,
    QueueKind,
    QueueList,
    Stats,
    View,
)

__all__ = [
    "browse",
    "dropped",
    "due_queues",
    "get_claim",
    "get_messages",
    "list_claims",
    "list_queues",
    "next_due",
    "one_state",
    "stats",
]

_LATEST_MS = 2**63 - 1


@contextmanager
def one_state(connection: apsw.Connection) -> Iterator[None]:
    """Make the statements inside see one and the same committed state."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def list_queues(
    connection: apsw.Connection, project: str, kind: QueueKind, *, after: str, limit: int, total: bool
) -> QueueList:
    """Return a page of queues by name."""
    rows = fetch(connection, SQL.list_queues, (project, kind, after, limit))
    queues = tuple(queue_of(QueueKey(project, name, kind), *rest) for name, *rest in rows)
    return QueueList(queues, count(connection, SQL.count_queues, project, kind) if total else None)


def browse(
    connection: apsw.Connection,
    queue: int,
    *,
    after: Position | None,
    limit: int,
    view: View,
    now_ms: int,
    last: int,
) -> Page:
    """Return part of a view; ``last`` is the greatest number that was committed."""
    free_only = not (view.claimed or view.delayed)
    if free_only and view.not_from is None:
        messages = free_messages(connection, queue, after=after, limit=limit, now_ms=now_ms)
        return Page(tuple(messages), _place_of(messages[-1], free=True) if messages else None)
    scanned: Iterable[Message]
    if free_only:
        scanned = _free_in_slices(connection, queue, after, limit, now_ms)
    else:
        scanned = _posted(connection, queue, after, now_ms)
    found: list[Message] = []
    end: Message | None = None
    for end in scanned:
        if _shown(end, view, now_ms):
            found.append(end)
            if len(found) == limit:
                break
    place = _place_of(end, free=free_only) if end else None
    if free_only:
        return Page(tuple(found), place)
    seen = after.sequence if after else 0
    complete = all(removed <= seen for (removed,) in fetch(connection, SQL.removed, (queue,)))
    if complete and count(connection, SQL.expired_behind, now_ms, queue, seen, limits.EXPIRED_SCAN_ROWS_MAX):
        complete = False
    return Page(tuple(found), place, queue, last, complete)


def dropped(connection: apsw.Connection, key: QueueKey) -> int:
    """Return a sequence behind which no contents of a queue were given up."""
    return count(connection, SQL.dropped_behind, mark_of(key))


def get_messages(connection: apsw.Connection, queue: int, ids: Sequence[str], *, now_ms: int) -> tuple[Message, ...]:
    """Return live messages by id."""
    rows: list[MessageRow] = []
    for id_ in dict.fromkeys(ids):
        rows += fetch(connection, SQL.message, (now_ms, queue, id_))
    return tuple(map(message_of, rows))


def get_claim(connection: apsw.Connection, queue: int, claim_id: str, *, now_ms: int) -> HeldClaim | None:
    """Return a live claim and what it holds."""
    for number, *rest in fetch(connection, SQL.claim, (queue, claim_id, now_ms)):
        held = fetch(connection, SQL.held_messages, (now_ms, number, claim_id))
        return HeldClaim(claim_of(claim_id, *rest), tuple(map(message_of, held)))
    return None


def list_claims(connection: apsw.Connection, queue: int, *, after: str, limit: int, now_ms: int) -> tuple[Claim, ...]:
    """Return live claims by id."""
    rows = fetch(connection, SQL.list_claims, (queue, after, now_ms, limit))
    return tuple(claim_of(*row) for row in rows)


def next_due(connection: apsw.Connection, queue: int, *, now_ms: int) -> int | None:
    """Return when the next message of the queue becomes free."""
    moments = [
        visible_ms
        for lifetime in lifetimes_of(connection, queue, at_least=SET_ASIDE)
        for (visible_ms,) in fetch(connection, SQL.next_visible, (queue, lifetime, now_ms, now_ms))
    ]
    return min(moments, default=None)


def due_queues(connection: apsw.Connection, *, now_ms: int, limit: int) -> tuple[QueueKey, ...]:
    """Return queues with messages that were claimed too often and are held by nobody."""
    return tuple(QueueKey(*row) for row in fetch(connection, SQL.due_queues, (now_ms, now_ms, limit)))


def stats(connection: apsw.Connection, queue: int, *, now_ms: int) -> Stats:
    """Count a queue's live messages, nearly all of them in the index alone."""
    claimed = count(connection, SQL.count_claimed, queue, now_ms)
    free = coming = 0
    for lifetime in lifetimes_of(connection, queue, at_least=SET_ASIDE):
        free += __count_free(connection, queue, lifetime, now_ms)
        if lifetime in (SET_ASIDE, NEVER):
            coming += count(connection, SQL.count_live_between, queue, lifetime, now_ms, _LATEST_MS, now_ms)
        else:
            coming += count(connection, SQL.count_visible_between, queue, lifetime, now_ms, _LATEST_MS)
    ends = [
        message_of(row)
        for sql in (SQL.oldest_message, SQL.newest_message)
        for row in fetch(connection, sql, (now_ms, queue))
    ]
    oldest, newest = ends or (None, None)
    return Stats(claimed=claimed, delayed=coming - claimed, free=free, oldest=oldest, newest=newest)


def __count_free(connection: apsw.Connection, queue: int, lifetime: int, now_ms: int) -> int:
    if lifetime in (SET_ASIDE, NEVER):
        return count(connection, SQL.count_live_between, queue, lifetime, -1, now_ms, now_ms)
    surely_ms = now_ms - shortest_ms(lifetime)
    free = count(connection, SQL.count_visible_between, queue, lifetime, surely_ms, now_ms)
    if not is_exact(lifetime):
        perhaps_ms = now_ms - longest_ms(lifetime)
        free += count(connection, SQL.count_live_between, queue, lifetime, perhaps_ms, surely_ms, now_ms)
    return free


def _free_in_slices(
    connection: apsw.Connection, queue: int, after: Position | None, limit: int, now_ms: int
) -> Iterator[Message]:
    scanned = 0
    while scanned < limits.BROWSE_SCAN_ROWS_MAX:
        messages = free_messages(connection, queue, after=after, limit=limit, now_ms=now_ms)
        yield from messages
        if len(messages) < limit:
            return
        scanned += len(messages)
        after = _place_of(messages[-1], free=True)


def _posted(connection: apsw.Connection, queue: int, after: Position | None, now_ms: int) -> Iterator[Message]:
    start = -1 if after is None else after.sequence
    rows = connection.execute(SQL.posted_messages, (now_ms, queue, start, limits.BROWSE_SCAN_ROWS_MAX))
    return map(message_of, rows)


def _shown(message: Message, view: View, now_ms: int) -> bool:
    if now_ms >= message.expires_ms or (view.not_from and message.client == view.not_from):
        return False
    if now_ms >= message.visible_ms:
        return True
    return view.claimed if message.claim_id is not None else view.delayed


def _place_of(message: Message, *, free: bool) -> Position:
    return Position(message.visible_ms if free else message.created_ms, message.sequence)

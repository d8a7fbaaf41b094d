"""Queries on queues and what they hold."""

from collections.abc import Sequence

from sukkal import limits
from sukkal.engines.marks import mark_of
from sukkal.engines.postgresql.batches import known_as
from sukkal.engines.postgresql.reads import Reads
from sukkal.engines.postgresql.rows import claim_of, message_of, queue_of
from sukkal.engines.postgresql.statements import SQL
from sukkal.errors import QueueMoved
from sukkal.model import (
    Claim,
    HeldClaim,
    Message,
    Page,
    Position,
    Queue,
    QueueKey,
    QueueKind,
    QueueList,
    Stats,
    View,
)

__all__ = [
    "browse",
    "clock_ms",
    "due_queues",
    "get_claim",
    "get_messages",
    "get_queues",
    "list_claims",
    "list_queues",
    "next_due",
    "stats",
]


async def get_queues(reads: Reads, keys: Sequence[QueueKey]) -> dict[QueueKey, Queue | QueueMoved]:
    """Return those of the queues that exist, and for those that were moved away what their callers are told."""
    projects, kinds, names = zip(*_places(keys), strict=True)
    found: dict[QueueKey, Queue | QueueMoved] = {}
    for nth, metadata, *rest in await reads.fetch(SQL.find_queues, projects, kinds, names):
        key = keys[nth - 1]
        found[key] = QueueMoved("The queue was moved.") if metadata is None else queue_of(key, metadata, *rest)
    return found


async def list_queues(reads: Reads, project: str, kind: QueueKind, *, after: str, limit: int, total: bool) -> QueueList:
    """Return a page of queues by name."""
    rows = await reads.fetch(SQL.list_queues, project, kind, after, limit)
    queues = tuple([queue_of(QueueKey(project, name, kind), *rest) for name, *rest in rows])
    if not total:
        return QueueList(queues)
    ((count,),) = await reads.fetch(SQL.count_queues, project, kind)
    return QueueList(queues, count)


async def browse(reads: Reads, key: QueueKey, *, after: Position | None, limit: int, view: View, now_ms: int) -> Page:
    """Return part of a view."""
    if view.claimed or view.delayed:
        return await _posted(reads, key, after.sequence if after else 0, limit, view, now_ms)
    found: list[Message] = []
    scanned = 0
    while True:
        messages = await _free(reads, key, after, limit, now_ms)
        if messages:
            after = Position(messages[-1].visible_ms, messages[-1].sequence)
        shown = [each for each in messages if not view.not_from or each.client != view.not_from]
        if len(found) + len(shown) >= limit:
            found += shown[: limit - len(found)]
            return Page(tuple(found), Position(found[-1].visible_ms, found[-1].sequence))
        found += shown
        scanned += len(messages)
        if len(messages) < limit or scanned >= limits.BROWSE_SCAN_ROWS_MAX:
            return Page(tuple(found), after if scanned else None)


async def _free(reads: Reads, key: QueueKey, after: Position | None, limit: int, now_ms: int) -> list[Message]:
    rows = await reads.fetch(SQL.free_messages, *_place(key), now_ms, *(after or (-1, 0)), limit)
    return [message_of(row) for row in rows]


async def _posted(reads: Reads, key: QueueKey, seen: int, limit: int, view: View, now_ms: int) -> Page:
    rows = await reads.fetch(
        SQL.posted_messages,
        *_place(key),
        now_ms,
        seen,
        limit,
        view.not_from or None,
        view.claimed,
        view.delayed,
        -1 - mark_of(key),
        limits.EXPIRED_SCAN_ROWS_MAX,
        limits.BROWSE_SCAN_ROWS_MAX,
    )
    epoch, last, dropped, removed, expired, edge, edge_ms, *_ = rows[0]
    messages = tuple([message_of(row, 7) for row in rows if row[7] is not None])
    if len(messages) == limit:
        edge, edge_ms = messages[-1].sequence, messages[-1].created_ms
    return Page(
        messages,
        Position(edge_ms, edge) if edge is not None else None,
        epoch,
        last,
        complete=removed <= seen and not expired,
        dropped=dropped,
    )


async def get_messages(reads: Reads, key: QueueKey, ids: Sequence[str], *, now_ms: int) -> tuple[Message, ...]:
    """Return live messages by id."""
    rows = await reads.fetch(SQL.messages, *_place(key), [known_as(id_) for id_ in dict.fromkeys(ids)], now_ms)
    return tuple([message_of(row) for row in rows])


async def get_claim(reads: Reads, key: QueueKey, claim_id: str, *, now_ms: int) -> HeldClaim | None:
    """Return a live claim and what it holds."""
    rows = await reads.fetch(SQL.held_claim, *_place(key), known_as(claim_id), now_ms)
    if not rows:
        return None
    messages = tuple([message_of(row, 4) for row in rows if row[4] is not None])
    return HeldClaim(claim_of(claim_id, *tuple(rows[0])[:4]), messages)


async def list_claims(reads: Reads, key: QueueKey, *, after: str, limit: int, now_ms: int) -> tuple[Claim, ...]:
    """Return live claims by id."""
    rows = await reads.fetch(SQL.list_claims, *_place(key), after, now_ms, limit)
    return tuple([claim_of(*row) for row in rows])


async def next_due(reads: Reads, key: QueueKey, *, now_ms: int) -> int | None:
    """Return when the next message of the queue becomes free."""
    ((moment,),) = await reads.fetch(SQL.next_due, *_place(key), now_ms)
    return int(moment) if moment is not None else None


async def due_queues(
    reads: Reads, *, now_ms: int, limit: int, backlogs: bool, after: QueueKey | None
) -> tuple[QueueKey, ...]:
    """Return queues with messages that were claimed too often, or backlogs that have something to deliver."""
    if backlogs:
        behind = (after.project, after.name) if after is not None else ("", "")
        rows = await reads.fetch(SQL.due_backlogs, now_ms, limit, *behind)
    else:
        rows = await reads.fetch(SQL.due_queues, now_ms, limit)
    return tuple([QueueKey(*row) for row in rows])


async def stats(reads: Reads, key: QueueKey, *, now_ms: int) -> Stats:
    """Count a queue's live messages."""
    ((claimed, delayed, free, first, last, queue),) = await reads.fetch(SQL.stats, *_place(key), now_ms)
    if queue is None:
        return Stats()
    rows = await reads.fetch(SQL.messages_at, now_ms, queue, [first, last])
    ends = [message_of(row) for row in rows]
    oldest, newest = (ends[0], ends[-1]) if ends else (None, None)
    return Stats(claimed=claimed, delayed=delayed, free=free, oldest=oldest, newest=newest)


def _place(key: QueueKey) -> tuple[str, str, str]:
    return key.project, key.kind, key.name


def _places(keys: Sequence[QueueKey]) -> list[tuple[str, str, str]]:
    return [_place(key) for key in keys]


async def clock_ms(reads: Reads) -> int:
    """Return what time it is at the server."""
    ((now_ms,),) = await reads.fetch(SQL.clock_ms)
    return int(now_ms)

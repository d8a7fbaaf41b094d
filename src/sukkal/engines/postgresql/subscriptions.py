"""Subscriptions, and the backlogs that come and go with them."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from sukkal.engines.marks import mark_of
from sukkal.engines.postgresql.database import Connection
from sukkal.engines.postgresql.reads import Reads
from sukkal.engines.postgresql.rows import subscription_of
from sukkal.engines.postgresql.statements import SQL
from sukkal.errors import RevisionConflict, SubscriptionExists
from sukkal.model import QueueKey, Subscription

__all__ = [
    "Listing",
    "delete_subscription",
    "list_subscriptions",
    "put_subscription",
    "remove_subscriptions",
    "sweep_subscriptions",
]


class Listing(NamedTuple):
    """A call of ``list_subscriptions``."""

    key: QueueKey
    after: str
    limit: int
    now_ms: int
    ids: tuple[str, ...] | None
    subscriber: str | None


async def put_subscription(
    connection: Connection, wanted: Subscription, *, revision: int | None, now_ms: int
) -> Subscription:
    """Create or replace a subscription."""
    key, backlog = wanted.queue, wanted.backlog
    place = _place(key)
    await _hold(connection, key, wanted.id)
    present = await _find(connection, SQL.subscription, key, wanted.id)
    live = present is not None and now_ms < present.expires_ms
    if (present.revision if present is not None and live else None) != revision:
        raise RevisionConflict("The subscription was changed meanwhile. Read it again.")
    other = await _find(connection, SQL.subscription_of, key, wanted.subscriber)
    if other is not None and other.id != wanted.id:
        if now_ms < other.expires_ms:
            raise SubscriptionExists(other)
        await _remove(connection, key, other.id)
    stored = replace(wanted, revision=(revision or 0) + 1)
    if not live:
        if present is not None:
            # One that has expired under the same id does not leave its backlog to this one.
            await _remove(connection, key, wanted.id)
        await connection.execute(SQL.ensure_queue, *place, -1 - mark_of(key), now_ms)
        await connection.execute(SQL.count_subscriptions, *place, 1)
        await connection.fetchval(
            SQL.create_queue, *_place(backlog), -1 - mark_of(backlog), b"{}", now_ms, stored.expires_ms
        )
    await connection.execute(SQL.end_backlog, *_place(backlog), stored.expires_ms)
    await connection.execute(
        SQL.put_subscription,
        *place,
        stored.id,
        stored.subscriber,
        stored.ttl_s,
        msgspec.json.encode(stored.options),
        stored.confirmed,
        stored.created_ms,
        stored.expires_ms,
        stored.revision,
    )
    return stored


async def list_subscriptions(reads: Reads, listing: Listing) -> tuple[Subscription, ...]:
    """Return live subscriptions of a queue."""
    rows = await reads.fetch(
        SQL.subscriptions,
        *_place(listing.key),
        listing.after,
        listing.now_ms,
        listing.limit,
        listing.ids,
        listing.subscriber,
    )
    return tuple([subscription_of(listing.key, tuple(row)) for row in rows])


async def delete_subscription(connection: Connection, key: QueueKey, id_: str) -> bool:
    """Remove a subscription with its backlog."""
    await _hold(connection, key, id_)
    return await _remove(connection, key, id_)


async def remove_subscriptions(connection: Connection, key: QueueKey) -> None:
    """Remove all subscriptions of a queue with their backlogs."""
    for (id_,) in await connection.fetch(SQL.subscription_ids, *_place(key)):
        await _remove(connection, key, id_)


async def sweep_subscriptions(connection: Connection, *, now_ms: int, limit: int) -> int:
    """Remove some expired subscriptions and return how many."""
    rows = await connection.fetch(SQL.expired_subscriptions, now_ms, limit)
    for project, kind, queue, id_ in rows:
        await _remove(connection, QueueKey(project, queue, kind), id_)
    return len(rows)


async def _hold(connection: Connection, key: QueueKey, id_: str) -> None:
    """Keep others from changing the queue and the backlog of one of its subscriptions until the transaction ends."""
    backlog = QueueKey(key.project, id_, "backlog")
    for mark in sorted({-1 - mark_of(each) for each in (key, backlog)}):
        await connection.execute(SQL.lock_mark, mark)
    held: Sequence[Sequence[str]] = list(zip(_place(key), _place(backlog), strict=True))
    await connection.execute(SQL.hold_queues, *held)


async def _find(connection: Connection, sql: str, key: QueueKey, name: str) -> Subscription | None:
    row = await connection.fetchrow(sql, *_place(key), name)
    return subscription_of(key, tuple(row)) if row is not None else None


async def _remove(connection: Connection, key: QueueKey, id_: str) -> bool:
    done = await connection.execute(SQL.delete_subscription, *_place(key), id_)
    if done.endswith(" 0"):
        return False
    backlog = QueueKey(key.project, id_, "backlog")
    await connection.fetchval(SQL.remove_queue, *_place(backlog), -1 - mark_of(backlog))
    await connection.execute(SQL.count_subscriptions, *_place(key), -1)
    return True


def _place(key: QueueKey) -> tuple[str, str, str]:
    return key.project, key.kind, key.name

"""Subscriptions, and the backlogs that come and go with them."""

from collections.abc import Sequence
from typing import Any

import apsw
import msgspec
from msgspec.structs import replace

from sukkal.engines.sqlite.catalogue import Catalogue
from sukkal.engines.sqlite.rows import fetch, subscription_of
from sukkal.engines.sqlite.statements import SQL
from sukkal.errors import RevisionConflict, SubscriptionExists
from sukkal.model import QueueKey, Subscription

__all__ = [
    "delete_subscription",
    "due_backlogs",
    "list_subscriptions",
    "put_subscription",
    "remove_queue",
    "sweep_subscriptions",
]


def put_subscription(
    writer: apsw.Connection, catalogue: Catalogue, wanted: Subscription, *, revision: int | None, now_ms: int
) -> Subscription:
    """Create or replace a subscription."""
    place = _place(wanted.queue)
    present = _live(wanted.queue, fetch(writer, SQL.subscription, (*place, wanted.id)), now_ms)
    if (present.revision if present else None) != revision:
        raise RevisionConflict("The subscription was changed meanwhile. Read it again.")
    for row in fetch(writer, SQL.subscription_of, (*place, wanted.subscriber)):
        other = subscription_of(wanted.queue, row)
        if other.id != wanted.id:
            if now_ms < other.expires_ms:
                raise SubscriptionExists(other)
            _remove(writer, catalogue, wanted.queue, other.id)
    stored = replace(wanted, revision=(revision or 0) + 1)
    if present is None:
        if fetch(writer, SQL.subscription, (*place, wanted.id)):
            # One that has expired under the same id does not leave its backlog to this one.
            _remove(writer, catalogue, wanted.queue, wanted.id)
        catalogue.count_subscriptions(catalogue.ensure(wanted.queue, now_ms), 1)
    catalogue.ensure_backlog(stored.backlog, stored.expires_ms, now_ms)
    catalogue.subscriptions_changed(wanted.queue)
    writer.execute(
        SQL.put_subscription,
        (
            *place,
            stored.id,
            stored.subscriber,
            stored.ttl_s,
            msgspec.json.encode(stored.options),
            stored.confirmed,
            stored.created_ms,
            stored.expires_ms,
            stored.revision,
        ),
    )
    return stored


def list_subscriptions(
    connection: apsw.Connection,
    catalogue: Catalogue,
    key: QueueKey,
    *,
    after: str,
    limit: int,
    now_ms: int,
    ids: Sequence[str] | None,
    subscriber: str | None,
) -> tuple[Subscription, ...]:
    """Return live subscriptions of a queue."""
    roll = catalogue.find_roll(key, limit=limit if ids is subscriber is None else 0)
    if roll is not None:
        return roll.select(after=after, limit=limit, now_ms=now_ms, ids=ids, subscriber=subscriber)
    place = _place(key)
    if ids is not None:
        rows = [row for id_ in sorted(set(ids)) for row in fetch(connection, SQL.subscription, (*place, id_))]
    elif subscriber is not None:
        rows = fetch(connection, SQL.subscription_of, (*place, subscriber))
    else:
        rows = fetch(connection, SQL.subscriptions, (*place, after, now_ms, limit))
    found = [subscription_of(key, row) for row in rows]
    live = [each for each in found if each.id > after and now_ms < each.expires_ms]
    return tuple([each for each in live if subscriber in (None, each.subscriber)][:limit])


def delete_subscription(writer: apsw.Connection, catalogue: Catalogue, key: QueueKey, id_: str) -> bool:
    """Remove a subscription with its backlog."""
    if not fetch(writer, SQL.subscription, (*_place(key), id_)):
        return False
    _remove(writer, catalogue, key, id_)
    return True


def remove_queue(writer: apsw.Connection, catalogue: Catalogue, key: QueueKey) -> None:
    """Remove a queue with its subscriptions and their backlogs."""
    entry = catalogue.present(key)
    if entry is None:
        return
    if entry.queue.subscriptions:
        for (id_,) in fetch(writer, SQL.subscription_ids, _place(key)):
            _remove(writer, catalogue, key, id_)
    entry = catalogue.present(key)
    if entry is not None:
        catalogue.remove(entry)


def sweep_subscriptions(writer: apsw.Connection, catalogue: Catalogue, *, now_ms: int, limit: int) -> int:
    """Remove some expired subscriptions and return how many."""
    rows = fetch(writer, SQL.expired_subscriptions, (now_ms, limit))
    for project, kind, queue, id_ in rows:
        _remove(writer, catalogue, QueueKey(project, queue, kind), id_)
    return len(rows)


def due_backlogs(
    connection: apsw.Connection, catalogue: Catalogue, *, now_ms: int, limit: int, after: QueueKey | None
) -> tuple[QueueKey, ...]:
    """Return backlogs that have something to deliver, in the order in which they came into being."""
    entry = catalogue.find(after) if after is not None else None
    rows = fetch(connection, SQL.due_backlogs, (entry.number if entry else 0, now_ms, limit))
    return tuple([QueueKey(*row) for row in rows])


def _remove(writer: apsw.Connection, catalogue: Catalogue, key: QueueKey, id_: str) -> None:
    writer.execute(SQL.delete_subscription, (*_place(key), id_))
    catalogue.subscriptions_changed(key)
    backlog = catalogue.present(QueueKey(key.project, id_, "backlog"))
    if backlog is not None:
        catalogue.remove(backlog)
    entry = catalogue.present(key)
    if entry is not None:
        catalogue.count_subscriptions(entry, -1)


def _place(key: QueueKey) -> tuple[str, str, str]:
    return key.project, key.kind, key.name


def _live(key: QueueKey, rows: list[Any], now_ms: int) -> Subscription | None:
    for row in rows:
        found = subscription_of(key, row)
        return found if now_ms < found.expires_ms else None
    return None

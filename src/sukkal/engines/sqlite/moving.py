"""Steps of moving whole queues: following and giving up a source, staging and opening a target."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import apsw
import msgspec
from msgspec.structs import replace

from sukkal.engines.holds import Marker, check_staged, not_yours
from sukkal.engines.lifetimes import SET_ASIDE, lifetime_class
from sukkal.engines.pages import until_full
from sukkal.engines.sqlite.catalogue import Catalogue, Entry
from sukkal.engines.sqlite.rows import claim_of, count, fetch, message_of, subscription_of
from sukkal.engines.sqlite.statements import SQL
from sukkal.engines.sqlite.subscriptions import remove_queue
from sukkal.engines.sqlite.writer import Slices
from sukkal.model import Message, Once, QueueKey, QueueKind
from sukkal.moving import Act, Changes, Details, Frame, Stored

__all__ = [
    "changes",
    "details",
    "drop_staged",
    "follow",
    "follower",
    "give_up",
    "let_go",
    "open_staged",
    "put_markers",
    "stage",
    "stored_after",
]

_STAGED = "~"


# -- the source


def follow(writer: apsw.Connection, catalogue: Catalogue, key: QueueKey, token: int) -> None:
    """Note from now on which messages of a queue change."""
    entry = catalogue.present(key)
    if entry is not None:
        writer.execute(SQL.follow_triggers)
        writer.execute(SQL.follow, (entry.number, token))


def follower(connection: apsw.Connection, queue: int) -> int:
    """Return the token of who follows a queue, 0 if nobody does."""
    return next((token for (token,) in fetch(connection, SQL.follower, (queue,))), 0)


def put_markers(writer: apsw.Connection, keys: Sequence[QueueKey], marker: Marker) -> None:
    """Hold queues, or mark them as moved away."""
    writer.executemany(SQL.put_marker, [(key.project, key.kind, key.name, *marker) for key in keys])


def let_go(writer: apsw.Connection, catalogue: Catalogue, keys: Sequence[QueueKey], token: int) -> None:
    """Take writes to queues again, and note no more what changes."""
    writer.executemany(SQL.delete_hold, [(key.project, key.kind, key.name, token) for key in keys])
    for entry in filter(None, map(catalogue.present, keys)):
        if follower(writer, entry.number) <= token:
            _unfollow(writer, entry)


def _unfollow(writer: apsw.Connection, entry: Entry) -> None:
    """Note no more what changes, and forget what did."""
    writer.execute(SQL.unfollow, (entry.number,))
    writer.execute(SQL.forget_changed, (entry.number,))
    if not count(writer, SQL.any_followed):
        writer.execute(SQL.drop_triggers)


def stored_after(
    connection: apsw.Connection, queue: int, sequence: int, *, limit: int, now_ms: int, bytes_max: int | None
) -> tuple[Stored, ...]:
    """Return messages behind a sequence."""
    rows = connection.execute(SQL.stored_after, (now_ms, queue, sequence, limit))
    return tuple(until_full(map(_stored, rows), bytes_max))


def changes(
    connection: apsw.Connection, queue: int, after: int, *, limit: int, now_ms: int, bytes_max: int | None
) -> Changes:
    """Return messages that have changed, in the order of their last changes."""
    gone: list[str] = []
    last: int | None = None

    def found() -> Iterator[Stored]:
        nonlocal last
        for last, id_ in fetch(connection, SQL.changed, (queue, after, limit)):  # noqa: B007
            rows = fetch(connection, SQL.stored, (now_ms, queue, id_))
            yield from map(_stored, rows)
            if not rows:
                gone.append(id_)

    stored = tuple(until_full(found(), bytes_max))
    return Changes(stored, tuple(gone), last)


def details(connection: apsw.Connection, entry: Entry, after: tuple[str, str], *, limit: int, now_ms: int) -> Details:
    """Return claims, then acts, then subscriptions."""
    table, name = after
    key = entry.queue.key
    if table in ("", "claims"):
        claims = fetch(connection, SQL.list_claims, (entry.number, name, now_ms, limit))
        following = ("claims", claims[-1][0]) if len(claims) == limit else ("once", "")
        return Details(claims=tuple(claim_of(*row) for row in claims), next=following)
    if table == "once":
        acts = fetch(connection, SQL.acts, (entry.number, name, now_ms, limit))
        following = ("once", acts[-1][0]) if len(acts) == limit else ("subscriptions", "")
        return Details(acts=tuple(_act(*row) for row in acts), next=following)
    place = (key.project, key.kind, key.name)
    found = fetch(connection, SQL.subscriptions, (*place, name, now_ms, limit))
    last = ("subscriptions", found[-1][0]) if len(found) == limit else None
    return Details(subscriptions=tuple(subscription_of(key, row) for row in found), next=last)


def give_up(writer: apsw.Connection, catalogue: Catalogue, keys: Sequence[QueueKey], marker: Marker) -> None:
    """Remove queues and leave markers."""
    for key in keys:
        entry = catalogue.present(key)
        if entry is not None:
            _unfollow(writer, entry)
            remove_queue(writer, catalogue, key)
    put_markers(writer, keys, marker)


# -- the target


def stage(
    writer: apsw.Connection,
    catalogue: Catalogue,
    frame: Frame,
    stored: Sequence[Stored],
    gone: Sequence[str],
    given: Details | None,
    now_ms: int,
    token: int,
) -> Slices[None]:
    """Keep what belongs to a queue where nobody sees it."""
    key = _staged(frame.queue.key)
    present = catalogue.present(key)
    check_staged(None if present is None else present.token, token)
    catalogue.raise_numbers(frame.last)
    entry = present or catalogue.create(key, b"{}", now_ms, ends_ms=frame.ends_ms)
    queue = replace(frame.queue, key=key, subscriptions=entry.queue.subscriptions)
    entry = entry._replace(queue=queue, ends_ms=frame.ends_ms, token=token)
    catalogue.reframe(entry)
    for claim in given.claims if given else ():
        row = (claim.id, claim.ttl_s, claim.grace_s, claim.created_ms, claim.expires_ms)
        writer.execute(SQL.put_claim, (catalogue.next_number(), entry.number, *row))
    for id_ in gone:
        writer.execute(SQL.unstage_message, (entry.number, id_))
    yield
    for each in stored:
        _stage_message(writer, catalogue, entry.number, each, backlog=frame.queue.key.kind == "backlog")
    yield
    for act in given.acts if given else ():
        once = act.once
        ids = msgspec.json.encode(act.ids)
        writer.execute(SQL.save_once, (entry.number, once.key, once.fingerprint, ids, once.expires_ms))
    for one in given.subscriptions if given else ():
        options = msgspec.json.encode(one.options)
        what = (one.id, one.subscriber, one.ttl_s, options, one.confirmed, one.created_ms, one.expires_ms)
        writer.execute(SQL.put_subscription, (key.project, key.kind, key.name, *what, one.revision))


def drop_staged(writer: apsw.Connection, catalogue: Catalogue, keys: Sequence[QueueKey], token: int) -> None:
    """Forget what was staged."""
    for key in keys:
        staged = _staged(key)
        entry = catalogue.present(staged)
        if entry is not None and entry.token <= token:
            writer.execute(SQL.drop_subscriptions, (staged.project, staged.kind, staged.name))
            catalogue.remove(entry)


def open_staged(writer: apsw.Connection, catalogue: Catalogue, keys: Sequence[QueueKey], token: int) -> None:
    """Let staged queues be seen."""
    for key in keys:
        entry = catalogue.present(_staged(key))
        if entry is not None:
            check_staged(entry.token, token)
            if catalogue.present(key) is not None:
                raise not_yours()
    for key in keys:
        staged = _staged(key)
        entry = catalogue.present(staged)
        if entry is None:
            continue
        place = (staged.project, staged.kind, staged.name)
        subscriptions = count(writer, SQL.count_staged, *place)
        writer.execute(SQL.open_subscriptions, (key.kind, *place))
        catalogue.rename(entry, key, subscriptions)


def _stage_message(writer: apsw.Connection, catalogue: Catalogue, queue: int, stored: Stored, *, backlog: bool) -> None:
    message = stored.message
    row = (
        catalogue.next_number(),
        queue,
        message.id,
        message.client,
        message.created_ms,
        message.ttl_s,
        message.expires_ms,
        message.visible_ms,
        SET_ASIDE if stored.set_aside else lifetime_class(message.expires_ms - message.visible_ms),
        _claim_number(writer, catalogue, queue, message),
        message.attempts,
        message.attributes,
        message.body,
        backlog,
        stored.key,
    )
    writer.execute(SQL.stage_message, row)


def _claim_number(writer: apsw.Connection, catalogue: Catalogue, queue: int, message: Message) -> int | None:
    """Return the number of a message's claim, of which more may become known later."""
    if message.claim_id is None:
        return None
    for (number,) in fetch(writer, SQL.claim_number, (queue, message.claim_id)):
        return cast(int, number)
    number = catalogue.next_number()
    writer.execute(SQL.insert_claim, (number, queue, message.claim_id, 0, 0, 0, message.visible_ms))
    return number


def _stored(row: tuple[Any, ...]) -> Stored:
    *message, lifetime, key = row
    return Stored(message=message_of(tuple(message)), set_aside=lifetime == SET_ASIDE, key=key)


def _act(key: str, fingerprint: bytes, ids: bytes, expires_ms: int) -> Act:
    once = Once(key=key, fingerprint=fingerprint, expires_ms=expires_ms)
    return Act(once, msgspec.json.decode(ids, type=tuple[tuple[str, ...], ...]))


def _staged(key: QueueKey) -> QueueKey:
    return key._replace(kind=cast(QueueKind, _STAGED + key.kind))

"""Steps of moving whole queues: following and giving up a source, staging and opening a target."""

from collections.abc import Sequence

import msgspec

from sukkal.engines.holds import Marker, check_give_up, not_yours
from sukkal.engines.lifetimes import SET_ASIDE, lifetime_class
from sukkal.engines.marks import mark_of
from sukkal.engines.postgresql.batches import columns
from sukkal.engines.postgresql.database import Connection
from sukkal.engines.postgresql.statements import SQL
from sukkal.engines.postgresql.subscriptions import remove_subscriptions
from sukkal.model import Claim, QueueKey
from sukkal.moving import Act, Details, Frame, Stored

__all__ = ["admit", "drop_staged", "follow", "give_up", "hold", "let_go", "open_staged", "stage"]

_STAGED = "~"


# -- the source


async def follow(connection: Connection, key: QueueKey, *, token: int) -> None:
    """Note from now on which messages of a queue change."""
    numbers = await _lock(connection, [key])
    await connection.execute(SQL.follow, numbers)
    await connection.execute(SQL.note_follower, numbers, token)


async def hold(connection: Connection, keys: Sequence[QueueKey], *, token: int) -> None:
    """Refuse writes to queues, whether they exist or not."""
    numbers = await _lock(connection, keys)
    if await connection.fetchval(SQL.others, *_places(keys), token):
        raise not_yours()
    await connection.execute(SQL.put_markers, *_places(keys), None, token)
    await connection.execute(SQL.hold, numbers)


async def let_go(connection: Connection, keys: Sequence[QueueKey], *, token: int) -> None:
    """Take writes to queues again, and note no more what changes."""
    numbers = await _lock(connection, keys)
    await connection.execute(SQL.let_go, *_places(keys), token)
    await connection.execute(SQL.unfollow, numbers, token)


async def give_up(connection: Connection, keys: Sequence[QueueKey], *, until_ms: int, token: int) -> None:
    """Remove queues and leave markers."""
    await _lock(connection, keys)
    rows = await connection.fetch(SQL.markers_of, *_places(keys))
    given = [
        key
        for key, (marked, *marker, there) in zip(keys, rows, strict=True)
        if check_give_up(Marker(*marker) if marked else None, token, there=there)
    ]
    for key in given:
        await remove_subscriptions(connection, key)
        await connection.execute(SQL.remove_queue, *_place(key), _mark(key))
    await connection.execute(SQL.put_markers, *_places(given), until_ms, token)


# -- the target


async def admit(connection: Connection, keys: Sequence[QueueKey], *, above: int) -> None:
    """Remove the markers of queues, and give only greater numbers from now on: to these, or to all if none is named."""
    if not keys:
        await connection.execute(SQL.lock_all_marks)
        await connection.execute(SQL.raise_all_numbers, above)
        return
    await _lock(connection, keys)
    await connection.execute(SQL.delete_markers, *_places(keys))
    await connection.execute(SQL.raise_numbers, sorted({*map(_mark, keys)}), above)


async def stage(
    connection: Connection,
    frame: Frame,
    *,
    stored: Sequence[Stored],
    gone: Sequence[str],
    details: Details | None,
    token: int,
) -> None:
    """Keep what belongs to a queue where nobody sees it."""
    queue, key = frame.queue, frame.queue.key
    said = (msgspec.json.encode(queue.metadata), queue.revision, queue.created_ms, frame.ends_ms, token)
    number = await connection.fetchval(SQL.stage_queue, *_staged(key), _mark(key), frame.last, *said)
    if details is not None:
        await _stage_details(connection, number, key, details)
    if gone:
        await connection.execute(SQL.unstage_messages, number, gone)
    if stored:
        # Of one that is there twice, the later is what it is now.
        latest = {each.message.id: each for each in stored}
        await _stage_messages(connection, number, tuple(latest.values()), backlog=key.kind == "backlog")


async def drop_staged(connection: Connection, keys: Sequence[QueueKey], *, token: int) -> None:
    """Forget what was staged."""
    await connection.execute(SQL.lock_marks, [_mark(key) for key in keys])
    for key in keys:
        staged_by = await connection.fetchval(SQL.staged_by, *_staged(key))
        if staged_by is None or staged_by > token:
            continue
        await connection.execute(SQL.drop_subscriptions, *_staged(key))
        await connection.execute(SQL.remove_queue, *_staged(key), _mark(key))


async def open_staged(connection: Connection, keys: Sequence[QueueKey], *, token: int) -> None:
    """Let staged queues be seen."""
    await _lock(connection, keys)
    await connection.execute(SQL.delete_markers, *_places(keys))
    for key in keys:
        project, staged, name = _staged(key)
        await connection.execute(SQL.open_staged, project, staged, key.kind, name, _mark(key), token)


async def _stage_details(connection: Connection, number: int, key: QueueKey, details: Details) -> None:
    if details.claims:
        await connection.execute(SQL.stage_claims, number, *columns(map(_claim_row, details.claims), 5))
    if details.acts:
        await connection.execute(SQL.stage_acts, number, *columns(map(_act_row, details.acts), 4))
    for one in details.subscriptions:
        options = msgspec.json.encode(one.options)
        what = (one.id, one.subscriber, one.ttl_s, options, one.confirmed, one.created_ms, one.expires_ms)
        await connection.execute(SQL.put_subscription, *_staged(key), *what, one.revision)


async def _stage_messages(connection: Connection, number: int, stored: Sequence[Stored], *, backlog: bool) -> None:
    claimed = [(each.message.claim_id, each.message.visible_ms) for each in stored if each.message.claim_id is not None]
    if claimed:
        await connection.execute(SQL.stage_claimed, number, *columns(claimed, 2))
    rows = [_message_row(each) for each in stored]
    await connection.execute(SQL.stage_messages, number, backlog, *columns(rows, 12))
    await connection.execute(SQL.note_staged, number, len(stored))
    await connection.execute(SQL.note_classes, [number] * len(stored), [_class_of(each) for each in stored])


def _message_row(stored: Stored) -> tuple[object, ...]:
    message = stored.message
    return (
        message.id,
        message.client,
        message.created_ms,
        message.ttl_s,
        message.expires_ms,
        message.visible_ms,
        _class_of(stored),
        message.claim_id,
        message.attempts,
        message.attributes,
        stored.key,
        message.body,
    )


def _class_of(stored: Stored) -> int:
    message = stored.message
    return SET_ASIDE if stored.set_aside else lifetime_class(message.expires_ms - message.visible_ms)


def _act_row(act: Act) -> tuple[object, ...]:
    return act.once.key, act.once.fingerprint, msgspec.json.encode(act.ids), act.once.expires_ms


def _claim_row(claim: Claim) -> tuple[object, ...]:
    return claim.id, claim.ttl_s, claim.grace_s, claim.created_ms, claim.expires_ms


# -- places


async def _lock(connection: Connection, keys: Sequence[QueueKey]) -> list[int]:
    """Keep others from changing or making queues until the transaction ends, and return the numbers of those there."""
    await connection.execute(SQL.lock_marks, [_mark(key) for key in keys])
    return [number for number in await connection.fetchval(SQL.lock_places, *_places(keys)) if number]


def _mark(key: QueueKey) -> int:
    return -1 - mark_of(key)


def _place(key: QueueKey) -> tuple[str, str, str]:
    return key.project, key.kind, key.name


def _staged(key: QueueKey) -> tuple[str, str, str]:
    return key.project, _STAGED + key.kind, key.name


def _places(keys: Sequence[QueueKey]) -> tuple[list[str], list[str], list[str]]:
    return [key.project for key in keys], [key.kind for key in keys], [key.name for key in keys]

"""Rows of the database as nouns of the model."""

from typing import Any

import apsw
import msgspec

from sukkal.model import Claim, Message, Queue, QueueKey, Subscription

__all__ = ["MessageRow", "claim_of", "count", "fetch", "message_of", "queue_of", "subscription_of"]

MessageRow = tuple[int, str, bytes, int, int, int, int, int, str | None, str, bytes | None]
"""sequence, id, body, ttl_s, created_ms, expires_ms, visible_ms, attempts, claim id, client, attributes."""


def message_of(row: MessageRow) -> Message:
    """Return the message of a row of one of the message queries."""
    sequence, id_, body, ttl_s, created_ms, expires_ms, visible_ms, attempts, claim_id, client, attributes = row
    return Message(
        id=id_,
        body=body,
        ttl_s=ttl_s,
        created_ms=created_ms,
        expires_ms=expires_ms,
        visible_ms=visible_ms,
        sequence=sequence,
        attempts=attempts,
        claim_id=claim_id,
        client=client,
        attributes=attributes,
    )


def queue_of(key: QueueKey, metadata: bytes, revision: int, created_ms: int, subscriptions: int = 0) -> Queue:
    """Return the queue of a row."""
    return Queue(
        key=key,
        metadata=msgspec.json.decode(metadata, type=dict[str, Any]),
        revision=revision,
        created_ms=created_ms,
        subscriptions=subscriptions,
    )


def claim_of(id_: str, ttl_s: int, grace_s: int, created_ms: int, expires_ms: int) -> Claim:
    """Return the claim of a row."""
    return Claim(id=id_, ttl_s=ttl_s, grace_s=grace_s, created_ms=created_ms, expires_ms=expires_ms)


def subscription_of(key: QueueKey, row: tuple[Any, ...]) -> Subscription:
    """Return the subscription of a row."""
    id_, subscriber, ttl_s, options, confirmed, created_ms, expires_ms, revision = row
    return Subscription(
        id=id_,
        queue=key,
        subscriber=subscriber,
        ttl_s=ttl_s,
        options=msgspec.json.decode(options, type=dict[str, Any]),
        confirmed=bool(confirmed),
        created_ms=created_ms,
        expires_ms=expires_ms,
        revision=revision,
    )


def fetch(connection: apsw.Connection, sql: str, arguments: tuple[Any, ...]) -> list[Any]:
    """Return all rows of a query: tuples whose types are those of the columns asked for."""
    return connection.execute(sql, arguments).fetchall()


def count(connection: apsw.Connection, sql: str, *arguments: str | int) -> int:
    """Return the one number that a query gives."""
    return int(connection.execute(sql, arguments).get)

"""Rows of the database as nouns of the model."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from sukkal.model import Claim, Message, Queue, QueueKey, Subscription

__all__ = ["claim_of", "message_of", "queue_of", "subscription_of"]


def message_of(row: asyncpg.Record, start: int = 0) -> Message:
    """Return the message of a row of one of the message queries, of which it is the part from ``start`` on."""
    return Message(
        sequence=row[start],
        id=row[start + 1],
        body=row[start + 2],
        ttl_s=row[start + 3],
        created_ms=row[start + 4],
        expires_ms=row[start + 5],
        visible_ms=row[start + 6],
        attempts=row[start + 7],
        claim_id=row[start + 8],
        client=row[start + 9],
        attributes=row[start + 10],
    )


def queue_of(key: QueueKey, metadata: bytes, revision: int, created_ms: int, subscriptions: int = 0) -> Queue:
    """Return the queue of a row."""
    decoded: Mapping[str, Any] = msgspec.json.decode(metadata, type=dict[str, Any])
    return Queue(key=key, metadata=decoded, revision=revision, created_ms=created_ms, subscriptions=subscriptions)


def claim_of(id_: str, ttl_s: int, grace_s: int, created_ms: int, expires_ms: int) -> Claim:
    """Return the claim of a row."""
    return Claim(id=id_, ttl_s=ttl_s, grace_s=grace_s, created_ms=created_ms, expires_ms=expires_ms)


def subscription_of(key: QueueKey, row: Sequence[Any]) -> Subscription:
    """Return the subscription of a row."""
    id_, subscriber, ttl_s, options, confirmed, created_ms, expires_ms, revision = row
    return Subscription(
        id=id_,
        queue=key,
        subscriber=subscriber,
        ttl_s=ttl_s,
        options=msgspec.json.decode(options, type=dict[str, Any]),
        confirmed=confirmed,
        created_ms=created_ms,
        expires_ms=expires_ms,
        revision=revision,
    )

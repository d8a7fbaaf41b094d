"""How the nouns look in frames: as over HTTP, but with ids where that has paths."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from sukkal import limits
from sukkal.model import Claim, Message, Stats
from sukkal.transports.http.views import message_views, stats_view

__all__ = ["MessageView", "claim_view", "counts_view", "message_view", "messages_view"]


class MessageView(msgspec.Struct, gc=False):
    """A message in a listing, a claim, or alone."""

    id: str
    claim_id: str | None
    ttl: int
    age: int
    body: Raw
    checksum: str | UnsetType = UNSET
    claim_count: int | UnsetType = UNSET
    dead_letter: Raw | UnsetType = UNSET
    reply_to: str | UnsetType = UNSET
    correlation_id: str | UnsetType = UNSET
    traceparent: str | UnsetType = UNSET
    tracestate: str | UnsetType = UNSET


def messages_view(messages: Iterable[Message], now_ms: int, *, checksum: bool, detailed: bool) -> list[MessageView]:
    """Return messages as they are listed."""
    given = tuple(messages)
    views = message_views(given, "", now_ms, checksum=checksum, detailed=detailed)
    return [
        MessageView(
            view.id,
            message.claim_id,
            view.ttl,
            view.age,
            view.body,
            view.checksum,
            view.claim_count,
            view.dead_letter,
            view.reply_to,
            view.correlation_id,
            view.traceparent,
            view.tracestate,
        )
        for message, view in zip(given, views, strict=True)
    ]


def message_view(message: Message, now_ms: int, *, checksum: bool, detailed: bool) -> MessageView:
    """Return one message."""
    return messages_view((message,), now_ms, checksum=checksum, detailed=detailed)[0]


def claim_view(claim: Claim, now_ms: int) -> dict[str, Any]:
    """Return a claim without its messages."""
    return {"age": max(now_ms - claim.created_ms, 0) // limits.SECOND_MS, "ttl": claim.ttl_s}


def counts_view(stats: Stats, now_ms: int) -> dict[str, Any]:
    """Return a queue's counts, and the ends of it if it is not empty."""
    document = stats_view(stats, "", now_ms)
    for name, message in (("newest", stats.newest), ("oldest", stats.oldest)):
        if message is not None:
            end = document["messages"][name]
            del end["href"]
            end["id"] = message.id
    return document

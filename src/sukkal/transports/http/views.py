"""How the nouns look on the wire."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from sukkal import limits
from sukkal.model import Claim, Message, Stats, Subscription
from sukkal.service.subscriptions import shown_options

__all__ = [
    "MessageView",
    "PoppedView",
    "claim_view",
    "href",
    "message_views",
    "popped_views",
    "stats_view",
    "subscription_view",
]


class MessageView(msgspec.Struct, gc=False):
    """A message in a listing, a claim, or alone."""

    id: str
    href: str
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


class PoppedView(msgspec.Struct, gc=False):
    """A message that was popped: it has no address any more."""

    id: str
    age: int
    ttl: int
    body: Raw
    claim_id: str | None
    claim_count: int
    checksum: str | UnsetType = UNSET
    dead_letter: Raw | UnsetType = UNSET
    reply_to: str | UnsetType = UNSET
    correlation_id: str | UnsetType = UNSET
    traceparent: str | UnsetType = UNSET
    tracestate: str | UnsetType = UNSET


class _Attributes(msgspec.Struct):
    dead_letter: Raw | UnsetType = UNSET
    reply_to: str | UnsetType = UNSET
    correlation_id: str | UnsetType = UNSET
    traceparent: str | UnsetType = UNSET
    tracestate: str | UnsetType = UNSET


_attributes: Final = msgspec.json.Decoder(_Attributes)
_More = tuple[Raw | UnsetType, str | UnsetType, str | UnsetType, str | UnsetType, str | UnsetType]
_NOTHING_MORE: Final[_More] = (UNSET, UNSET, UNSET, UNSET, UNSET)


def href(base: str, message: Message) -> str:
    """Return the path of a message, naming its claim while that lives; ``base`` is its queue's path."""
    if message.claim_id is None:
        return f"{base}/messages/{message.id}"
    return f"{base}/messages/{message.id}?claim_id={message.claim_id}"


def message_views(
    messages: Iterable[Message], base: str, now_ms: int, *, checksum: bool, detailed: bool
) -> list[MessageView]:
    """Return messages as they are listed.

    Only ``detailed`` ones, and those posted with them, have members that Zaqar's have not: python-zaqarclient fails on
    any that it does not know.
    """
    plain = not (checksum or detailed)
    return [
        MessageView(
            message.id, href(base, message), message.ttl_s, _age_s(message.created_ms, now_ms), Raw(message.body)
        )
        if plain and message.attributes is None
        else _full_view(message, base, now_ms, checksum=checksum, detailed=detailed)
        for message in messages
    ]


def _full_view(message: Message, base: str, now_ms: int, *, checksum: bool, detailed: bool) -> MessageView:
    return MessageView(
        message.id,
        href(base, message),
        message.ttl_s,
        _age_s(message.created_ms, now_ms),
        Raw(message.body),
        _checksum(message.body) if checksum else UNSET,
        message.attempts if detailed else UNSET,
        *_more(message, detailed=detailed),
    )


def popped_views(messages: Iterable[Message], now_ms: int, *, checksum: bool, detailed: bool) -> list[PoppedView]:
    """Return messages as a pop shows them."""
    return [
        PoppedView(
            message.id,
            _age_s(message.created_ms, now_ms),
            message.ttl_s,
            Raw(message.body),
            message.claim_id,
            message.attempts,
            _checksum(message.body) if checksum else UNSET,
            *_more(message, detailed=detailed),
        )
        for message in messages
    ]


def claim_view(claim: Claim, base: str, now_ms: int) -> dict[str, Any]:
    """Return a claim without its messages."""
    return {"href": f"{base}/claims/{claim.id}", "age": _age_s(claim.created_ms, now_ms), "ttl": claim.ttl_s}


def stats_view(stats: Stats, base: str, now_ms: int) -> dict[str, Any]:
    """Return a queue's counts, and the ends of it if it is not empty. Delayed messages count as free."""
    counts: dict[str, Any] = {
        "claimed": stats.claimed,
        "free": stats.free + stats.delayed,
        "delayed": stats.delayed,
        "total": stats.total,
    }
    for name, message in (("newest", stats.newest), ("oldest", stats.oldest)):
        if message is not None:
            counts[name] = {
                "age": _age_s(message.created_ms, now_ms),
                "ttl": message.ttl_s,
                "body": Raw(message.body),
                "claim_id": message.claim_id,
                "claim_count": message.attempts,
                "created": _timestamp(message.created_ms),
                "href": href(base, message),
            }
    return {"messages": counts}


def _more(message: Message, *, detailed: bool) -> _More:
    """Return the members that only some messages have."""
    if message.attributes is None:
        return _NOTHING_MORE
    found = _attributes.decode(message.attributes)
    if not detailed:
        return UNSET, found.reply_to, found.correlation_id, UNSET, UNSET
    return found.dead_letter, found.reply_to, found.correlation_id, found.traceparent, found.tracestate


def _age_s(created_ms: int, now_ms: int) -> int:
    return (now_ms - created_ms) // limits.SECOND_MS if now_ms > created_ms else 0


def _timestamp(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // limits.SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _checksum(body: bytes) -> str | UnsetType:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return UNSET  # Python does not read every JSON: it bounds the digits of a number and the depth of a document.
    if document is None:
        return UNSET
    # The form that Zaqar's users know: of the body as Python writes it by default.
    return f"MD5:{hashlib.md5(json.dumps(document).encode(), usedforsecurity=False).hexdigest()}"


def subscription_view(subscription: Subscription, now_ms: int) -> dict[str, Any]:
    """Return a subscription, without the secrets of its options."""
    return {
        "id": subscription.id,
        "source": subscription.queue.name,
        "subscriber": subscription.subscriber,
        "ttl": subscription.ttl_s,
        "age": max(now_ms - subscription.created_ms, 0) // limits.SECOND_MS,
        "options": shown_options(subscription),
        "confirmed": subscription.confirmed,
    }

"""Which queue stands for which of oslo.messaging's addresses."""

import hashlib
import re
from typing import Final

__all__ = ["fanout_queue", "notification_queue", "pool_queue", "reply_queue", "server_queue", "topic_queue"]

_VERSION: Final = "oslo1"
_SHORTENED: Final = "oslo1s"
_CHARS_MAX: Final = 64
_DIGEST_BYTES: Final = 12
_UNSAFE: Final = re.compile(rb"[^A-Za-z0-9-]")


def topic_queue(exchange: str, topic: str) -> str:
    """Return the queue of what any server of a topic may do."""
    return _name("topic", exchange, topic)


def server_queue(exchange: str, topic: str, server: str) -> str:
    """Return the queue of what one server of a topic shall do."""
    return _name("server", exchange, topic, server)


def fanout_queue(exchange: str, topic: str) -> str:
    """Return the queue of what all servers of a topic shall do; they listen to it and take nothing."""
    return _name("fanout", exchange, topic)


def notification_queue(exchange: str, topic: str) -> str:
    """Return the queue of a topic's notifications; the topic ends with a dot and the priority."""
    return _name("notify", exchange, topic)


def pool_queue(exchange: str, topic: str, pool: str) -> str:
    """Return the queue of a pool's copies of such notifications."""
    return _name("pool", exchange, topic, pool)


def reply_queue(caller: str) -> str:
    """Return the queue of the replies to one caller."""
    return _name("reply", caller)


def _name(kind: str, *parts: str) -> str:
    """Put the parts together so that different ones make different names, readable as far as there is room."""
    escaped = [_UNSAFE.sub(lambda found: b"_%02x" % found[0][0], part.encode()).decode() for part in parts]
    full = ".".join((kind, *escaped))
    name = f"{_VERSION}.{full}"
    if len(name) <= _CHARS_MAX:
        return name
    digest = hashlib.blake2b(full.encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{_SHORTENED}.{digest}.{full}"[:_CHARS_MAX]

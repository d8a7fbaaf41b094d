"""The JSON text of a notification: what subscribers and listeners get of a message."""

from collections.abc import Mapping

import msgspec

__all__ = ["notification"]


def notification(
    queue_name: str, body: bytes, *, ttl_s: int, delay_s: int = 0, more: Mapping[str, str] | None = None
) -> bytes:
    """Return a message in the shape that Zaqar's subscribers know; its body goes through as it was posted.

    ``more`` are further members.
    """
    delay = b'"delay":%d,' % delay_s if delay_s else b""
    tail = b"," + msgspec.json.encode(more)[1:] if more else b"}"
    return b'{"ttl":%d,"body":%b,%b"Message_Type":"Notification","queue_name":%b%b' % (
        ttl_s,
        body,
        delay,
        msgspec.json.encode(queue_name),
        tail,
    )

"""The JSON text that subscribers get, the same over every sink."""

import msgspec

from sukkal.sink import Delivery

__all__ = ["notification"]


def notification(delivery: Delivery) -> bytes:
    """Return the message in the shape that Zaqar's subscribers know; its body goes through as it was posted.

    A notice has a shape of its own.
    """
    if delivery.notice:
        return delivery.body
    return b'{"ttl":%d,"body":%b,"Message_Type":"Notification","queue_name":%b}' % (
        delivery.ttl_s,
        delivery.body,
        msgspec.json.encode(delivery.queue_name),
    )

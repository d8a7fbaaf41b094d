"""The JSON text that subscribers get, the same over every sink."""

from sukkal import notification as shape
from sukkal.sink import Delivery

__all__ = ["notification"]


def notification(delivery: Delivery) -> bytes:
    """Return the message in the shape that Zaqar's subscribers know; its body goes through as it was posted.

    A notice has a shape of its own, and so has what has a media type.
    """
    if delivery.notice or delivery.media_type:
        return delivery.body
    return shape.notification(delivery.queue_name, delivery.body, ttl_s=delivery.ttl_s)

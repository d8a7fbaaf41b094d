"""What subscribers are sent, as the bare servers send it."""

from typing import Final

import msgspec

from bench.workloads import MESSAGE

__all__ = ["NOTIFICATION"]

NOTIFICATION: Final = msgspec.json.encode(
    {"ttl": MESSAGE["ttl"], "body": MESSAGE["body"], "Message_Type": "Notification", "queue_name": "fanout-0"}
)
"""The same message as in the other cases, in what the service makes of it."""

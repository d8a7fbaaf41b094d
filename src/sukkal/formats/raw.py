"""Messages of no known shape."""

from typing import Any, Final

from sukkal.format import Event, Received
from sukkal.formats.members import JSON, present, queue_source
from sukkal.formats.times import rfc3339_of_ms
from sukkal.limits import SECOND_MS

__all__ = ["Raw"]


class Raw:
    """Translates any document: the event says where and when it was posted, and how long it lives."""

    name: Final = "raw"

    def recognise(self, document: Any) -> bool:
        """Say yes."""
        return True

    def describe(self, document: Any, received: Received) -> Event:
        """Return the event of a message in a queue."""
        extensions = {
            "osprojectid": received.project or None,
            "expirytime": rfc3339_of_ms(received.posted_ms + received.ttl_s * SECOND_MS),
        }
        return Event(
            id=received.message_id,
            source=queue_source(received),
            type="org.openstack.zaqar.message",
            time=rfc3339_of_ms(received.posted_ms),
            datacontenttype=JSON,
            extensions=present(extensions),
            data=document,
        )

    def restore(self, event: Event) -> Any:
        """Return the data."""
        return event.data

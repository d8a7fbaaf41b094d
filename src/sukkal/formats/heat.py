"""Events of Heat's stacks, as its event sink posts them."""

from typing import Any, Final

from sukkal.format import Event, Received
from sukkal.formats.members import JSON, path_of, present, queue_source, text_at
from sukkal.formats.times import instant, naive_utc, rfc3339, rfc3339_of_ms

__all__ = ["Heat"]

_TYPE: Final = "os.heat.event"
_MEMBERS: Final = frozenset({"timestamp", "version", "type", "id", "payload"})


class Heat:
    """Translates one event of a stack."""

    name: Final = "heat"

    def recognise(self, document: Any) -> bool:
        """Tell whether the document has the members of a stack's event, and no others."""
        return isinstance(document, dict) and document.keys() == _MEMBERS and document["type"] == _TYPE

    def describe(self, document: Any, received: Received) -> Event:
        """Return the event: what happened to which resource of the stack."""
        stack = text_at(document, "payload", "stack_id")
        moment = naive_utc(document["timestamp"])
        extensions = {
            "osversion": text_at(document, "version"),
            "osstatus": text_at(document, "payload", "resource_status"),
        }
        return Event(
            id=text_at(document, "id") or received.message_id,
            source=path_of("heat", "stacks", stack) if stack else queue_source(received),
            type=_TYPE,
            subject=text_at(document, "payload", "resource_name"),
            time=rfc3339(moment) if moment else rfc3339_of_ms(received.posted_ms),
            datacontenttype=JSON,
            extensions=present(extensions),
            data=document["payload"],
        )

    def restore(self, event: Event) -> Any:
        """Return the event as Heat's sink posts it."""
        moment = instant(event.time) if event.time is not None else None
        return {
            "timestamp": moment.replace(tzinfo=None).isoformat() if moment else None,
            "version": event.extensions.get("osversion", "0.1"),
            "type": event.type,
            "id": event.id,
            "payload": event.data,
        }

"""Alarms of Aodh that changed their state."""

from typing import Any, Final

from sukkal.format import Event, Received
from sukkal.formats.members import JSON, path_of, queue_source, severity, text_at
from sukkal.formats.times import rfc3339_of_ms

__all__ = ["Aodh"]


class Aodh:
    """Translates an alarm's change of state; the data is all that Aodh says."""

    name: Final = "aodh"

    def recognise(self, document: Any) -> bool:
        """Tell whether the document names an alarm, and its states before and now."""
        return (
            isinstance(document, dict)
            and {"alarm_id", "alarm_name", "previous", "current"} <= document.keys()
            and "event_type" not in document
        )

    def describe(self, document: Any, received: Received) -> Event:
        """Return the event: the state is part of its type, the alarm's name its subject."""
        alarm = text_at(document, "alarm_id")
        state = text_at(document, "current")
        return Event(
            id=received.message_id,
            source=path_of("aodh", "alarms", alarm) if alarm else queue_source(received),
            type="aodh.alarm." + (state.replace(" ", "_") if state else "unknown"),
            subject=text_at(document, "alarm_name"),
            time=rfc3339_of_ms(received.posted_ms),
            datacontenttype=JSON,
            extensions=severity(text_at(document, "severity")),
            data=document,
        )

    def restore(self, event: Event) -> Any:
        """Return the data."""
        return event.data

"""Notifications of oslo.messaging: those of versioned objects (Nova, Ironic), and unversioned ones."""

from typing import Any, Final
from urllib.parse import quote

from sukkal.format import Event, Received
from sukkal.formats.members import JSON, first_text, path_of, present, queue_source, severity, text_at
from sukkal.formats.times import instant, naive_utc, rfc3339, rfc3339_of_ms

__all__ = ["Oslo"]

_DATA: Final = "_object.data"
_PROJECT: Final = (
    ("_context_project_id",),
    ("_context_tenant",),
    ("ctxt", "project_id"),
    ("ctxt", "tenant"),
    ("payload", "tenant_id"),
    ("payload", "project_id"),
    ("payload", "owner"),
)
_SUBJECT: Final = tuple(
    (name,)
    for name in (
        "uuid",
        "instance_id",
        "volume_id",
        "snapshot_id",
        "server_group_id",
        "id",
        "image_id",
        "flavorid",
    )
)


class Oslo:
    """Translates a notification as it travels, or as an endpoint of oslo.messaging is given it."""

    name: Final = "oslo"

    def recognise(self, document: Any) -> bool:
        """Tell whether the document says who published what kind of event."""
        return (
            isinstance(document, dict)
            and isinstance(document.get("event_type"), str)
            and isinstance(document.get("publisher_id"), str)
            and "payload" in document
        )

    def describe(self, document: Any, received: Received) -> Event:
        """Return the event: the payload with the message's id, publisher, type and time."""
        publisher = text_at(document, "publisher_id")
        extensions = {"ospublisherid": publisher, "osprojectid": first_text(document, _PROJECT)}
        stamp = text_at(document, "timestamp") or text_at(document, "metadata", "timestamp")
        moment = naive_utc(stamp)
        return Event(
            id=first_text(document, (("message_id",), ("metadata", "message_id"))) or received.message_id,
            source=path_of(publisher) if publisher else queue_source(received),
            type=text_at(document, "event_type") or "org.openstack.notification",
            subject=_subject(document["payload"]),
            time=rfc3339(moment) if moment else rfc3339_of_ms(received.posted_ms),
            datacontenttype=JSON,
            dataschema=_schema(document["payload"]),
            extensions=present(extensions) | severity(text_at(document, "priority")),
            data=document["payload"],
        )

    def restore(self, event: Event) -> Any:
        """Return the notification as it travels."""
        moment = instant(event.time) if event.time is not None else None
        return {
            "message_id": event.id,
            "publisher_id": event.extensions.get("ospublisherid", event.source),
            "event_type": event.type,
            "priority": event.extensions.get("severitytext", "INFO"),
            "payload": event.data,
        } | ({"timestamp": str(moment.replace(tzinfo=None))} if moment else {})


def _versioned(payload: Any) -> tuple[str, dict[str, Any]] | None:
    """Return the kind of the object (``nova``, ``ironic``) and its data, if the payload is a versioned object."""
    if isinstance(payload, dict):
        for name, value in payload.items():
            if name.endswith(_DATA) and isinstance(value, dict):
                return name.removesuffix(_DATA), value
    return None


def _schema(payload: Any) -> str | None:
    if not (found := _versioned(payload)):
        return None
    parts = [text_at(payload, f"{found[0]}_object.{part}") for part in ("namespace", "name", "version")]
    return "urn:os:" + ":".join(quote(part, safe="") for part in parts if part) if all(parts) else None


def _subject(payload: Any) -> str | None:
    if found := _versioned(payload):
        payload = found[1]
    if subject := first_text(payload, _SUBJECT):
        return subject
    # Neutron wraps what it tells of, {"port": {"id": ...}}, and names what is gone, {"port_id": ...}.
    if isinstance(payload, dict) and len(payload) == 1:
        [(name, value)] = payload.items()
        return text_at(payload, name) if name.endswith("_id") else first_text(value, _SUBJECT)
    return None

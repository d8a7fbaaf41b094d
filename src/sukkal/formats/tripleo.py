"""Messages of TripleO's workflows to whoever watches a deployment."""

from typing import Any, Final

from sukkal.format import Event, Received
from sukkal.formats.members import JSON, first_text, path_of, present, queue_source, text_at
from sukkal.formats.times import rfc3339_of_ms

__all__ = ["TripleO", "TripleONamed"]

_EXECUTION: Final = (("execution_id",), ("execution", "id"))
_ROOT: Final = (("root_execution_id",), ("execution", "root_execution_id"))
_TYPE: Final = "org.openstack.tripleo.message"


class TripleO:
    """Translates ``{type, payload}``."""

    name: Final = "tripleo"

    def recognise(self, document: Any) -> bool:
        """Tell whether the document is a type and a payload, and nothing else; Heat's type is Heat's."""
        return (
            isinstance(document, dict)
            and document.keys() == {"type", "payload"}
            and isinstance(document["type"], str)
            and isinstance(document["payload"], dict)
        )

    def describe(self, document: Any, received: Received) -> Event:
        """Return the event of the workflow's execution."""
        payload = document["payload"]
        return _event(
            text_at(document, "type"),
            first_text(payload, _EXECUTION),
            payload,
            received,
        )

    def restore(self, event: Event) -> Any:
        """Return the message."""
        return {"type": event.type, "payload": event.data}


class TripleONamed:
    """Translates ``{name, execution_id, data}``, the shape before."""

    name: Final = "tripleo-named"

    def recognise(self, document: Any) -> bool:
        """Tell whether the document is a named execution with data, and nothing else."""
        return (
            isinstance(document, dict)
            and document.keys() == {"name", "execution_id", "data"}
            and isinstance(document["name"], str)
            and isinstance(document["execution_id"], str)
        )

    def describe(self, document: Any, received: Received) -> Event:
        """Return the event of the workflow's execution."""
        return _event(text_at(document, "name"), text_at(document, "execution_id"), document["data"], received)

    def restore(self, event: Event) -> Any:
        """Return the message; whose execution it is, the source says."""
        execution = event.extensions.get("osexecutionid", event.source)
        return {"name": event.type, "execution_id": execution, "data": event.data}


def _event(kind: str | None, execution: str | None, data: Any, received: Received) -> Event:
    extensions = {"osexecutionid": execution, "correlationid": first_text(data, _ROOT)}
    return Event(
        id=received.message_id,
        source=path_of("mistral", "executions", execution) if execution else queue_source(received),
        type=kind or _TYPE,
        subject=text_at(data, "plan_name"),
        time=rfc3339_of_ms(received.posted_ms),
        datacontenttype=JSON,
        extensions=present(extensions),
        data=data,
    )

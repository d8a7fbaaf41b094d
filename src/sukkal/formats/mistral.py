"""What Mistral's notifier tells webhooks of workflows and tasks."""

import hashlib
import re
from typing import Any, Final
from uuid import UUID

from sukkal.format import Event, Received
from sukkal.formats import documents
from sukkal.formats.members import JSON, path_of, present, queue_source, text_at
from sukkal.formats.times import naive_utc, rfc3339, rfc3339_of_ms

__all__ = ["Mistral"]

_EVENT: Final = re.compile(r"(WORKFLOW|TASK)_[A-Z]+(?:_[A-Z]+)*")
# The name space of ids that are made of what happened: Mistral sends none.
_IDS: Final = UUID("5d1f5f2f-0a35-5b8b-9a39-1f6ad6f1e9c4")


class Mistral:
    """Translates a change of a workflow's or a task's state; the data is all that Mistral says."""

    name: Final = "mistral"

    def recognise(self, document: Any) -> bool:
        """Tell whether the document names an event of Mistral, and what it happened to."""
        return (
            isinstance(document, dict)
            and {"id", "event", "state", "workflow_name"} <= document.keys()
            and document.keys().isdisjoint({"event_type", "alarm_id"})
            and isinstance(document["event"], str)
            and _EVENT.fullmatch(document["event"]) is not None
        )

    def describe(self, document: Any, received: Received) -> Event:
        """Return the event: the execution is the source, and a task in it the subject."""
        is_task = document["event"].startswith("TASK_")
        what = text_at(document, "id")
        execution = text_at(document, "workflow_execution_id") if is_task else what
        moment = naive_utc(document.get("updated_at"))
        extensions = {
            "correlationid": text_at(document, "root_execution_id"),
            "osprojectid": text_at(document, "project_id"),
            "osworkflowid": text_at(document, "workflow_id"),
            "osworkflowname": text_at(document, "workflow_name"),
            "ostaskname": text_at(document, "name") if is_task else None,
        }
        return Event(
            id=_id(what, document) if what and moment else received.message_id,
            source=path_of("mistral", "executions", execution) if execution else queue_source(received),
            type="mistral." + document["event"].lower().replace("_", "."),
            subject=what if is_task else None,
            time=rfc3339(moment) if moment else rfc3339_of_ms(received.posted_ms),
            datacontenttype=JSON,
            extensions=present(extensions),
            data=document,
        )

    def restore(self, event: Event) -> Any:
        """Return the data."""
        return event.data


def _id(what: str, document: Any) -> str:
    """Return the UUID of version 5 of what happened."""
    # The times of Mistral have whole seconds, within which a task can do the same twice: all of it tells them apart.
    named = f"{what}/{documents.digest(document)}".encode()
    digest = hashlib.sha1(_IDS.bytes + named, usedforsecurity=False).digest()
    return str(UUID(bytes=digest[:16], version=5))

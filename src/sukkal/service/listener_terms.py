"""What a listener waits for: which events of a workflow, an execution, a task or another resource."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

import msgspec

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.formats.members import path_of

__all__ = [
    "EVENTS",
    "KINDS",
    "LISTENER",
    "Heartbeat",
    "Kind",
    "Terms",
    "check_listener",
    "filters_of_terms",
    "read_terms",
    "terms_of",
]

LISTENER: Final = "_listener"
"""An option of subscriptions: what the listener that a subscription is waits for."""

Kind = Literal["workflow", "execution", "task", "resource"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

ANY_ID: Final = "*"

_WORKFLOW: Final[Mapping[str, tuple[str, ...]]] = {
    "on-enter": ("launched",),
    "on-success": ("succeeded",),
    "on-error": ("failed",),
    "on-cancel": ("cancelled",),
    "on-complete": ("succeeded", "failed", "cancelled"),
    "on-exit": ("succeeded", "failed", "cancelled"),
    "on-pause": ("paused",),
    "on-resume": ("resumed",),
    "on-rerun": ("rerun",),
}
_RESOURCE: Final[Mapping[str, tuple[str, ...]]] = {
    "on-enter": ("start",),
    "on-success": ("end", "success"),
    "on-error": ("error", "fail"),
    "on-complete": ("end", "success", "error", "fail"),
    "on-exit": ("end", "success", "error", "fail"),
}
# Heat's events all have one type; which status a resource has come to is an attribute.
_STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "on-enter": ("IN_PROGRESS",),
    "on-success": ("COMPLETE",),
    "on-error": ("FAILED",),
    "on-complete": ("COMPLETE", "FAILED"),
    "on-exit": ("COMPLETE", "FAILED"),
}
_ENDED: Final = ("succeeded", "failed", "cancelled", "skipped")

EVENTS: Final[Mapping[Kind, Mapping[str, tuple[str, ...]]]] = {
    "workflow": _WORKFLOW,
    "execution": _WORKFLOW,
    "task": {**_WORKFLOW, "on-complete": _ENDED, "on-exit": _ENDED, "on-skip": ("skipped",)},
    "resource": _RESOURCE,
}
"""What the last part of an event's type may be, by the name that listeners have for it."""

_PREFIX: Final = {"workflow": "mistral.workflow.", "execution": "mistral.workflow.", "task": "mistral.task."}


class Heartbeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long it may take, in seconds, until the next of the events comes."""

    within: int


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a listener waits for.

    Exactly one of ``workflow``, ``execution``, ``task`` and ``resource`` is given: the id or name, or ``*`` for all.
    ``events`` are names of ours or types of events; none stands for all. A ``workbook`` is that of the workflow.
    """

    workflow: str | None = None
    execution: str | None = None
    task: str | None = None
    resource: str | None = None
    events: list[str] = []
    workbook: str | None = None
    heartbeat: Heartbeat | None = None

    @property
    def about(self) -> tuple[Kind, str]:
        """The kind of what is listened to, and its id or name."""
        [found] = [(kind, id_) for kind in KINDS if (id_ := getattr(self, kind)) is not None]
        return found


def read_terms(document: Mapping[str, Any]) -> Terms:
    """Return the terms that a document has. Raises ``InvalidRequest``."""
    try:
        terms = msgspec.convert(document, Terms)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"The listener cannot be understood: {error}.") from None
    given = [(kind, id_) for kind in KINDS if (id_ := getattr(terms, kind)) is not None]
    if len(given) != 1:
        raise InvalidRequest(f"A listener has exactly one of the members {', '.join(KINDS)}.")
    [(kind, id_)] = given
    for name, text in ((kind, id_), ("workbook", terms.workbook)):
        if text is not None and not 0 < len(text) <= limits.LISTENER_ID_CHARS_MAX:
            raise InvalidRequest(f"{name} must have 1 to {limits.LISTENER_ID_CHARS_MAX} characters.")
    if kind == "resource" and terms.workbook is not None:
        raise InvalidRequest("workbook goes with a workflow, an execution or a task; a resource has none.")
    _check_events(kind, terms.events)
    if terms.heartbeat is not None and not (limits.HEARTBEAT_S_MIN <= terms.heartbeat.within <= limits.HEARTBEAT_S_MAX):
        raise InvalidRequest(f"heartbeat.within must be {limits.HEARTBEAT_S_MIN} to {limits.HEARTBEAT_S_MAX} seconds.")
    return terms


def terms_of(options: Mapping[str, Any]) -> Terms | None:
    """Return the terms of the listener that a subscription with these options is, if it is one."""
    if LISTENER not in options:
        return None
    try:
        return read_terms(options[LISTENER])
    except InvalidRequest:
        return None


def check_listener(options: Mapping[str, Any]) -> None:
    """Refuse options of a subscription that say what no listener can wait for. Raises ``InvalidRequest``."""
    if LISTENER in options:
        read_terms(options[LISTENER])


def filters_of_terms(terms: Terms) -> list[dict[str, Any]]:
    """Return the filters that pass the events which are waited for."""
    kind, id_ = terms.about
    found: list[dict[str, Any]] = []
    if kind in _PREFIX and not terms.events:
        found.append({"prefix": {"type": _PREFIX[kind]}})
    if terms.events:
        found.append({"any": [each for event in terms.events for each in _types(kind, event)]})
    if id_ != ANY_ID:
        found.append(_named(kind, id_))
    if terms.workbook is not None:
        # The workflows of a workbook have its name in front of their own.
        found.append({"prefix": {"osworkflowname": f"{terms.workbook}."}})
    return found


def _types(kind: Kind, event: str) -> list[dict[str, Any]]:
    if "." in event:
        return [{"exact": {"type": event}}]
    if kind in _PREFIX:
        return [{"exact": {"type": _PREFIX[kind] + end}} for end in EVENTS[kind][event]]
    types = [{"suffix": {"type": f".{end}"}} for end in EVENTS[kind][event]]
    return [*types, *[{"exact": {"osstatus": status}} for status in _STATUSES[event]]]


def _named(kind: Kind, id_: str) -> dict[str, Any]:
    if kind == "execution":
        return {"exact": {"source": path_of("mistral", "executions", id_)}}
    if kind == "resource":
        return {"exact": {"subject": id_}}
    attributes = ("subject", "ostaskname") if kind == "task" else ("osworkflowid", "osworkflowname")
    return {"any": [{"exact": {attribute: id_}} for attribute in attributes]}


def _check_events(kind: Kind, events: Sequence[str]) -> None:
    if len(events) > limits.LISTENER_EVENTS_MAX:
        raise InvalidRequest(f"events has more than {limits.LISTENER_EVENTS_MAX} entries.")
    for event in events:
        if event not in EVENTS[kind] and not ("." in event and len(event) <= limits.LISTENER_ID_CHARS_MAX):
            raise InvalidRequest(
                f"events has an entry that a {kind} does not know. It knows {', '.join(EVENTS[kind])}, and types of "
                "events, which have a dot."
            )

"""The steps between a source and a publisher, which are the same for every notification and do no I/O."""

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

from msgspec.structs import replace

from sukkal.format import Event
from sukkal.formats import Registry
from sukkal.forwarder.masks import Masks, without_host
from sukkal.forwarder.normalising import Unreadable, normalised
from sukkal.forwarder.tenants import SeveralTenants, Tenants, matches
from sukkal.publisher import Notification
from sukkal.source import Arrival

__all__ = ["Audience", "Passed", "Pipeline", "Selection"]


class Audience(Enum):
    """Who reads what a publisher hands on: somebody of the project, or the operator of the cloud."""

    TENANT = "tenant"
    OPERATOR = "operator"


class Selection(NamedTuple):
    """Which types of events a publisher wants: those of ``types`` without those of ``but``."""

    types: Sequence[str] = ("*",)
    but: Sequence[str] = ()

    def takes(self, event: Event) -> bool:
        """Tell whether the publisher wants an event."""
        return matches(event.type, self.types) and not matches(event.type, self.but)


class Passed(NamedTuple):
    """A notification behind all steps. ``identity`` is what it is known by: its source and id before the masks."""

    identity: tuple[str, str]
    notification: Notification


class Pipeline:
    """Makes notifications of what came: normalises, selects, decides whose it is, and masks."""

    def __init__(
        self, registry: Registry, selection: Selection, tenants: Tenants, masks: Masks, audience: Audience
    ) -> None:
        self._registry = registry
        self._selection = selection
        self._tenants = tenants
        self._masks = masks
        self._audience = audience

    def passed(self, arrival: Arrival, *, now_ms: int) -> Passed | None:
        """Return the notification, or ``None`` if the publisher is not to have it. Raises ``Unreadable``."""
        try:
            return self._passed(arrival, now_ms)
        except RecursionError:
            raise Unreadable("It is nested too deeply.") from None

    def _passed(self, arrival: Arrival, now_ms: int) -> Passed | None:
        event, document = normalised(arrival, self._registry, now_ms=now_ms)
        if not self._selection.takes(event):
            return None
        project = self._project(event, document)
        identity = (event.source, event.id)
        if self._audience is Audience.TENANT:
            if project is None:
                return None
            event = without_host(self._masks.of(event))
        others = {name: value for name, value in event.extensions.items() if name != "osprojectid"}
        event = replace(event, extensions=others | ({"osprojectid": project} if project else {}))
        return Passed(identity, Notification(event=event, project=project))

    def _project(self, event: Event, document: Any) -> str | None:
        try:
            return self._tenants.of(event, document)
        except SeveralTenants as error:
            if self._audience is Audience.TENANT:
                raise Unreadable(str(error)) from None
            return None

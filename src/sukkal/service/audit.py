"""The audit log: who did which operation on what, with which outcome, as lines of JSON in the manner of CADF.

CADF is the Cloud Auditing Data Federation's event model (DMTF DSP0262), which OpenStack's services use.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.service.access import Caller
from sukkal.service.operations import Operation

__all__ = ["Audit"]

_EVENT: Final = "http://schemas.dmtf.org/cloud/audit/1.0/event"
_ACTIONS: Final = {
    "GET": "read",
    "HEAD": "read",
    "POST": "create",
    "PUT": "update",
    "PATCH": "update",
    "DELETE": "delete",
}
# A route that was found and then not found is a signature that opens nothing.
_REFUSED: Final = frozenset({"unauthenticated", "forbidden", "rate_limited", "quota_exceeded", "route_not_found"})
_OBSERVER: Final = {"id": "sukkal", "typeURI": "service/messaging", "name": "sukkal"}


class Audit:
    """Writes an event for each operation. ``write`` is given lines; without it nothing is audited."""

    def __init__(
        self,
        write: Callable[[bytes], None] | None,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        *,
        reads: bool,
    ) -> None:
        self._write = write
        self._now_ms = now_ms
        self._new_id = new_id
        self._reads = reads

    @property
    def active(self) -> bool:
        """Whether anything is audited."""
        return self._write is not None

    def note(
        self,
        operation: Operation,
        caller: Caller | None,
        target: Mapping[str, str],
        outcome: str,
        *,
        peer: str,
        request_id: str,
    ) -> None:
        """Write that an operation ended: ``outcome`` is ``ok``, ``failed`` or the code of an error.

        ``target`` says on what: an ``id``, and what else names it; ``request_id`` is what the caller was told.

        What only reads is left out unless it was refused, or reads are wanted too.
        """
        action = _ACTIONS[operation.method]
        if self._write is None or (action == "read" and outcome not in _REFUSED and not self._reads):
            return
        event: dict[str, Any] = {
            "typeURI": _EVENT,
            "eventType": "activity",
            "id": self._new_id(),
            "eventTime": _time(self._now_ms()),
            "action": f"{action}/{operation.name}",
            "outcome": "success" if outcome == "ok" else "failure",
            "initiator": _initiator(caller, peer),
            "target": {
                "typeURI": f"data/messaging/{operation.name.partition('.')[0]}",
                **({} if caller is None else {"project_id": caller.project}),
                **target,
            },
            "observer": _OBSERVER,
            "requestId": request_id,
        }
        if outcome != "ok":
            event["reason"] = {"reasonType": "sukkal", "reasonCode": outcome}
        self._write(msgspec.json.encode(event) + b"\n")


def _initiator(caller: Caller | None, peer: str) -> dict[str, Any]:
    host = {"address": peer}
    if caller is None:
        return {"id": "unknown", "typeURI": "service/security/account/user", "host": host}
    identity = caller.identity
    return {
        "id": identity.user or "unknown",
        "typeURI": "service/security/account/user",
        "name": identity.user_name,
        "project_id": identity.project,
        "roles": sorted(identity.roles),
        "credential": {"type": identity.method},
        "host": host,
    }


def _time(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / limits.SECOND_MS, UTC)
    return moment.isoformat(timespec="milliseconds")

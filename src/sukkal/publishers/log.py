"""Writes each notification into the log: for looking at what comes, and for trying out masks."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.formats import cloudevents
from sukkal.options import options_of
from sukkal.publisher import ACCEPTED, Notification, PublisherContext, Verdict

__all__ = ["LogPublisher"]

_log: Final = logging.getLogger("sukkal.forwarder.events")


class _LogOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    data: bool = False


class LogPublisher:
    """Writes a line for each notification, with the whole event if ``data`` is asked for."""

    batch_max = limits.FORWARDER_BATCH

    def __init__(self, options: Mapping[str, Any], context: PublisherContext) -> None:
        self._options = options_of(_LogOptions, options)
        self._name = context.name

    def lane(self, notification: Notification) -> str:
        """Return the only lane."""
        return ""

    async def publish(self, notifications: Sequence[Notification]) -> Sequence[Verdict]:
        """Write the lines."""
        for each in notifications:
            event = each.event
            told: dict[str, Any] = {"publisher": self._name, "project": each.project}
            told |= {"event_id": event.id, "event_source": event.source, "event_type": event.type}
            told |= {"event_subject": event.subject, "event_time": event.time}
            if self._options.data:
                told["event"] = cloudevents.encode(event).decode()
            _log.info("event", extra=told)
        return [ACCEPTED] * len(notifications)

    async def close(self) -> None:
        """There is nothing to let go of."""

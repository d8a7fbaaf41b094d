"""How far a route is behind, and what it did: plain numbers, of one route."""

from collections.abc import Iterable

from sukkal.formats.times import instant
from sukkal.limits import SECOND_MS
from sukkal.publisher import Notification

__all__ = ["Lag", "event_ms"]


class Lag:
    """What a route counts. ``waiting`` is what the source still has, ``None`` while that is not known."""

    def __init__(self, route: str) -> None:
        self.route = route
        self.accepted = 0
        self.skipped = 0
        self.repeated = 0
        self.dead = 0
        self.failures = 0
        self.waiting: int | None = None
        self.last_delay_s: float | None = None

    def accept(self, notifications: Iterable[Notification], now_ms: int) -> None:
        """Count what the publisher took, and note how old the last of it was."""
        for notification in notifications:
            self.accepted += 1
            if (moment_ms := event_ms(notification)) is not None:
                self.last_delay_s = max(0.0, (now_ms - moment_ms) / SECOND_MS)

    def oldest_s(self, held: Iterable[Notification], now_ms: int) -> float:
        """Return the age of the oldest event that is held, 0 if none is."""
        moments = [moment for each in held if (moment := event_ms(each)) is not None]
        return max(0.0, (now_ms - min(moments)) / SECOND_MS) if moments else 0.0


def event_ms(notification: Notification) -> int | None:
    """Return when the event happened, if it says so."""
    moment = instant(notification.event.time) if notification.event.time is not None else None
    return None if moment is None else int(moment.timestamp() * SECOND_MS)

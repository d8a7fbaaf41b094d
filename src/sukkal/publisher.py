"""The contract of publishers: what hands the forwarder's notifications on, to one place.

A publisher repeats nothing by itself and keeps nothing: it tells what happened. Laws:

* **Each told.** ``publish`` returns one verdict for each notification, in their order, whatever the other side does; it
  never raises but for cancellation.
* **Honest.** ``accepted`` means that the other side said that it took the notification.
* **Same again.** A notification that is published again is recognisably the same: by its source and id at least.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from sukkal.format import Event

__all__ = ["ACCEPTED", "Notification", "Publisher", "PublisherContext", "Verdict"]


class Notification(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event on its way, and the project that it belongs to, if it belongs to one."""

    event: Event
    project: str | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of a notification.

    ``permanent`` says that another attempt is pointless. ``everybody`` says that the publisher takes nothing at the
    moment, so that the failure is not this notification's. ``retry_after_s`` is how long it asked to be left alone.
    ``reason`` is a sentence for the operator, without secrets.
    """

    accepted: bool
    reason: str = ""
    permanent: bool = False
    everybody: bool = False
    retry_after_s: float | None = None


ACCEPTED = Verdict(accepted=True)


class PublisherContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a publisher is made with: its name, a UUID for this process, the time, and how long an attempt may take."""

    name: str
    client_id: str
    now_ms: Callable[[], int]
    timeout_s: float


class Publisher(Protocol):
    """Hands on notifications."""

    @property
    def batch_max(self) -> int:
        """How many notifications of a lane it takes at once."""

    def lane(self, notification: Notification) -> str:
        """Return the lane of a notification: within a lane their order is kept, and no lane waits for another."""

    async def publish(self, notifications: Sequence[Notification]) -> Sequence[Verdict]:
        """Hand on notifications of one lane, and return what became of each."""

    async def close(self) -> None:
        """Let go of all connections."""

"""Hearing: messages as listeners hear them, where they stand, and one who listens."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from sukkal import limits
from sukkal.errors import InvalidParameter
from sukkal.model import Page, QueueKey
from sukkal.notification import notification
from sukkal.service.lenses import CLEAR, Lens
from sukkal.service.turns import Part

__all__ = ["Ear", "Heard", "Place", "place_of"]


class Place(NamedTuple):
    """Where a message stands: in which contents of its queue, and behind how many others of the store."""

    epoch: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.sequence}"


def place_of(text: str) -> Place:
    """Return the place that a listener says it has seen. Raises ``InvalidParameter``."""
    epoch, _, sequence = text.partition(".")
    if epoch.isascii() and epoch.isdigit() and sequence.isascii() and sequence.isdigit() and len(text) <= _PLACE_CHARS:
        return Place(int(epoch), min(int(sequence), limits.INT64_MAX))
    raise InvalidParameter(
        "The position is invalid. It must be one that came with a message, for example 12.345; leave it out to begin "
        "with what is posted from now on."
    )


_PLACE_CHARS: Final = 40


class Heard(msgspec.Struct, gc=False):
    """A message as listeners hear it. ``place`` is ``None`` for one that is stored nowhere.

    ``frames`` is for what is made of it, so that it is made once for all listeners.
    """

    project: str
    queue_name: str
    id: str
    body: bytes
    ttl_s: int
    delay_s: int
    posted_ms: int
    place: Place | None
    frames: dict[Hashable, Any]

    def weight(self, lens: Lens) -> int:
        """Return what it costs to look at it through a lens, as far as nobody with such a lens has done so."""
        looks = lens.passes is not None and ("passes", lens.filters) not in self.frames
        if looks or (lens.form is not None and lens.form not in self.frames):
            return lens.weight_of(len(self.body))
        return 0

    def text(self, *, positioned: bool) -> bytes:
        """Return the notification, with the message's id and position if that is asked for."""
        more: Mapping[str, str] | None = None
        if positioned:
            more = {"message_id": self.id} | ({"position": str(self.place)} if self.place else {})
        return notification(self.queue_name, self.body, ttl_s=self.ttl_s, delay_s=self.delay_s, more=more)


class Ear:
    """One listener at one queue.

    ``hear`` is called with each message, ``end`` once with the reason why no more will come; neither waits. ``place``
    is the last one that was heard, ``missed`` the first page of what came after it, read in ``watched`` when the
    listener came. It is ``warned`` if it was told then that something is gone. The ``lens`` tells what it wants.
    Nothing is heard once it has ``ended``.
    """

    def __init__(
        self,
        key: QueueKey,
        hear: Callable[[Heard], None],
        end: Callable[[str], None],
        *,
        begun_ms: int,
        lens: Lens = CLEAR,
    ) -> None:
        self.key = key
        self.begun_ms = begun_ms
        self.lens = lens
        self.place = Place(0, 0)
        self.watched = key
        self.missed: Page | None = None
        self.warned = False
        self.ended = False
        self._hear = hear
        self._end = end
        self._held: deque[Heard] | None = deque()
        self._held_bytes = 0

    @property
    def held(self) -> int:
        """How many messages wait until those before them have been heard."""
        return len(self._held or ())

    def tell(self, heard: Heard) -> None:
        """Hear a message, at once or after those that were posted before it."""
        if self._held is None:
            self.hear(heard)
        elif len(self._held) < limits.LISTENER_HELD_MAX and self._held_bytes < limits.LISTENER_HELD_BYTES_MAX:
            self._held.append(heard)
            self._held_bytes += len(heard.body)
        else:
            self.end("Too much came before what was missed had been read.")

    def hear(self, heard: Heard) -> None:
        """Hear a message unless it was heard before."""
        if self.ended:
            return
        if heard.place is None:
            self._hear(heard)
        elif heard.place.sequence > self.place.sequence:
            self.place = heard.place
            self._hear(heard)

    def cost(self, heard: Heard) -> int:
        """Return what telling a message costs besides the telling itself."""
        return heard.weight(self.lens) // limits.WEIGHT_PER_TELLING if self._held is None else 0

    async def release(self, part: Part) -> None:
        """Hear what was held, and from now on everything at once."""
        while self._held and not self.ended:
            heard = self._held.popleft()
            self._held_bytes -= len(heard.body)
            weight = heard.weight(self.lens)
            self.hear(heard)
            if part.ends(1 + weight):
                await asyncio.sleep(0)
        self._held = None

    def end(self, reason: str) -> None:
        """Say that no more will come."""
        if not self.ended:
            self.ended = True
            self._end(reason)

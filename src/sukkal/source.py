"""The contract of sources: what brings notifications in from outside, for one consumer.

A source keeps nothing and decides nothing about what it brings. Laws:

* **Held.** What was brought and not acknowledged comes again: after a new start, and after a connection was lost.
* **Bounded.** No more is brought than the source's window while nothing is acknowledged.
* **Honest.** ``receive`` ends only by ``SourceUnavailable``; the caller pauses and calls it again.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

import msgspec

__all__ = ["Arrival", "Source", "SourceContext", "SourceUnavailable"]


class SourceUnavailable(Exception):
    """Nothing can be had at the moment; the message says why, without secrets."""


class Arrival(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A notification as it came.

    ``body`` is its text. ``place`` is where it was taken from, ``id`` what the source calls it, or nothing. ``token``
    is the source's own, by which it knows what is acknowledged.
    """

    body: bytes
    place: str
    id: str
    token: Any


class SourceContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a source is made with: its name, the name of the consumer that it is for, and a UUID for this process."""

    name: str
    consumer: str
    client_id: str


class Source(Protocol):
    """Brings the notifications that one consumer asked for."""

    @property
    def window(self) -> int:
        """How many it brings at most while nothing is acknowledged."""

    def receive(self) -> AsyncIterator[Arrival]:
        """Bring notifications as they come. Raises ``SourceUnavailable`` when that ends."""

    async def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Let the other side forget them. Does nothing for those that it will bring again anyway."""

    async def waiting(self) -> int | None:
        """Return how many have not been brought yet; ``None`` if that is not known at the moment."""

    async def close(self) -> None:
        """Let go of all connections. What is not acknowledged comes to the next consumer."""

"""What the connections of one server have in common: the handler, the limits, the time, and who is there."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from sukkal import limits
from sukkal.settings import Settings
from sukkal.transports.http.adapter import HttpHandler
from sukkal.transports.http.wire.answers import Heads

if TYPE_CHECKING:
    from sukkal.transports.http.wire.connection import Connection

__all__ = ["LOOK_S", "Handover", "Shared"]

LOOK_S: Final = 0.25
"""Pause between two looks at who is too slow. Everybody has so much time more, so that nobody has less."""


class Handover(Protocol):
    """What takes connections over from HTTP."""

    def at(self, path: str) -> bool:
        """Tell whether it does at a path."""
        ...

    def begin(self, transport: asyncio.Transport, head: bytes) -> None:
        """Take over a connection whose client sent the head of a request for a WebSocket, and nothing else."""
        ...

    def __len__(self) -> int:
        """How many connections it has."""
        ...


class Shared:
    """Shared by all connections of one server.

    Time stands still between two calls of ``look``, so a deadline costs a connection no more than an addition.
    """

    def __init__(
        self,
        handler: HttpHandler,
        settings: Settings,
        loop: asyncio.AbstractEventLoop,
        *,
        body_bytes_max: int,
        elapsed_s: Callable[[], float],
        now_ms: Callable[[], int],
    ) -> None:
        self.handler = handler
        self.body_bytes_max = body_bytes_max
        self.handover: Handover | None = None
        self.loop = loop
        self.headers_s = settings.request_headers_timeout_s + LOOK_S
        self.body_s = settings.request_body_timeout_s + LOOK_S
        self.read_s = settings.client_read_timeout_s + LOOK_S
        self.keep_alive_s = limits.KEEP_ALIVE_S + LOOK_S
        self.connections_max = settings.max_connections
        self.connections: set[Connection] = set()
        # Their tasks are held by nobody else, and may go on when the connection is lost.
        self.working: set[Connection] = set()
        self.heads = Heads(now_ms())
        self.now_s = elapsed_s()
        self._elapsed_s = elapsed_s
        self._now_ms = now_ms

    @property
    def connected(self) -> int:
        """How many connections there are, those that were taken over included."""
        taken_over = len(self.handover) if self.handover else 0
        return len(self.connections) + taken_over

    @property
    def crowded(self) -> bool:
        """Whether there is one connection too many."""
        return self.connected > self.connections_max

    def has_sockets(self, path: str) -> bool:
        """Tell whether a path is one at which WebSockets are taken."""
        return self.handover is not None and self.handover.at(path)

    def look(self) -> None:
        """Take notice of the time, and end the connections whose time is over."""
        self.heads.tell(self._now_ms())
        now_s = self.now_s = self._elapsed_s()
        for connection in tuple(self.connections):
            if connection.arrive_by_s <= now_s:
                connection.too_slow()
            if connection.read_by_s <= now_s:
                connection.abort()

"""What is spoken on a connection: frames of Zaqar, or events."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from sukkal import limits
from sukkal.transports.websocket.answering import Answering
from sukkal.transports.websocket.connection import EXPIRED, POLICY, Connection
from sukkal.transports.websocket.frames import Data
from sukkal.transports.websocket.senders import Senders

__all__ = ["EVENTS_SUFFIX", "PATHS", "Conversation", "Framed", "is_socket_path"]

PATHS: Final = ("/", "/v2", "/v2/")
"""Where connections are taken: Zaqar takes them anywhere, but on this port there is HTTP besides."""

EVENTS_SUFFIX: Final = "/events"
_WITH_EVENTS: Final = ("/v2/queues/", "/v2/topics/")


def is_socket_path(path: str) -> bool:
    """Tell whether a path, percent-encoded or not, is one at which connections are taken."""
    return path in PATHS or (path.endswith(EVENTS_SUFFIX) and path.startswith(_WITH_EVENTS))


class Conversation(Protocol):
    """What is spoken on one connection."""

    @property
    def subprotocol(self) -> str | None:
        """What it is called in the request for the connection."""
        ...

    @property
    def unanswered(self) -> bool:
        """Whether the client is told nothing of what it sent, so that all is done that came before it went away."""
        ...

    async def answer(self, data: Data) -> tuple[Data | None, Callable[[], None] | None]:
        """Do what a frame asks for; return the answer, and what is to be done once that is on its way."""
        ...

    async def watch(self) -> None:
        """End the connection when its client may not have it any more."""
        ...


class Framed:
    """Zaqar's frames: each asks for something, and each is answered."""

    subprotocol: Final = None
    unanswered: Final = False

    def __init__(
        self,
        connection: Connection,
        answering: Answering,
        senders: Senders,
        now_ms: Callable[[], int],
        *,
        authenticate_s: int,
    ) -> None:
        self._connection = connection
        self._answering = answering
        self._senders = senders
        self._now_ms = now_ms
        self._authenticate_s = authenticate_s

    async def answer(self, data: Data) -> tuple[Data, Callable[[], None] | None]:
        """Answer a frame."""
        return await self._answering(self._connection, data)

    async def watch(self) -> None:
        """End the connection of somebody who does not say who it is, or whose token ends."""
        connection = self._connection
        if not self._senders.believes:
            try:
                async with asyncio.timeout(self._authenticate_s):
                    await connection.known.wait()
            except TimeoutError:
                connection.close(POLICY, f"Not authenticated within {self._authenticate_s} seconds.")
                return
        await connection.authenticated.wait()
        while await self._senders.still_valid(connection, self._now_ms()):  # noqa: ASYNC110
            # A token that ends makes no sound.
            await asyncio.sleep(self._pause_s())
        connection.close(EXPIRED, "Authentication expired.")

    def _pause_s(self) -> float:
        identity = self._connection.identity
        expires_ms = identity.expires_ms if identity is not None else None
        if expires_ms is None:
            return limits.WEBSOCKET_TOKEN_S
        left_s = (expires_ms - self._now_ms()) / limits.SECOND_MS
        return min(left_s, limits.WEBSOCKET_TOKEN_S)

"""HTTP as the load generator speaks it: one request at a time on each connection."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from bench.load import Address
from bench.wire import BenchError, UnexpectedAnswer, frame

__all__ = ["Line", "Receiver"]

_ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_CLOSE: Final = b"connection: close"


class Line(asyncio.Protocol):
    """A connection that is opened when it is needed. A server may close it after an answer, if it says so."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[bytes, int]] | None = None
        self._received = b""

    async def ask(self, request: bytes, beginning: bytes) -> tuple[bytes, int]:
        """Return the answer and where its body begins. Raises ``BenchError`` if it has another status."""
        if self._transport is None:
            await asyncio.get_running_loop().create_connection(lambda: self, *self._address)
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        answer, body_at = await self._answer
        if not answer.startswith(beginning):
            raise UnexpectedAnswer(answer, beginning.decode("ascii"))
        if _CLOSE in answer[:body_at].lower():
            self.close()
        return answer, body_at

    def close(self) -> None:
        """End the connection. The next request opens another."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Put the pieces together."""
        self._received += data
        body_at, end = frame(self._received)
        if 0 <= end <= len(self._received) and self._answer is not None and not self._answer.done():
            self._answer.set_result((self._received, body_at))
            self._received = b""

    def connection_lost(self, error: Exception | None) -> None:
        """Let nobody wait for an answer that does not come."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BenchError(f"the server closed a connection: {self._received!r}"))


class Receiver(asyncio.Protocol):
    """Takes what is delivered to it, and says so."""

    def __init__(self, heard: Callable[[], None]) -> None:
        self._heard = heard
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request when all of it is there."""
        self._received += data
        _, end = frame(self._received)
        if 0 <= end <= len(self._received) and self._transport is not None:
            self._received = b""
            self._heard()
            self._transport.write(_ANSWER)

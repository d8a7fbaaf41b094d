"""Connections to addresses that the guard permits, and readers that a broker cannot fill."""

import asyncio
import ssl
from typing import Any

from aiormq import TransportFactory
from yarl import URL

from sukkal import limits

__all__ = ["GuardedTransport"]


class GuardedTransport(TransportFactory):
    """Connects to the first of some addresses that takes the connection.

    With ``tls`` it is the host in the URL whose certificate is demanded, not the address. ``abort`` ends the connection
    at once, whatever the other side does.
    """

    def __init__(self, addresses: list[str], tls: ssl.SSLContext | None) -> None:
        self._addresses = addresses
        self._tls = tls
        self._transport: asyncio.Transport | None = None
        self._reader: _BoundedReader | None = None

    async def create(self, url: URL, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect. Raises ``OSError`` if no address takes the connection."""
        loop = asyncio.get_running_loop()
        reader = self._reader = _BoundedReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        failure = OSError("There is no address.")
        for address in self._addresses:
            try:
                self._transport, _ = await loop.create_connection(
                    lambda: protocol,
                    address,
                    url.port or 0,
                    ssl=self._tls,
                    server_hostname=url.host if self._tls else None,
                )
            except OSError as error:
                failure = error
            else:
                return reader, asyncio.StreamWriter(self._transport, protocol, reader, loop)
        raise failure

    def renew(self) -> None:
        """Let the broker send as much as it may for one more message."""
        if self._reader is not None:
            self._reader.left = limits.AMQP_READ_BYTES_MAX

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()


class _BoundedReader(asyncio.StreamReader):
    left = limits.AMQP_READ_BYTES_MAX

    async def readexactly(self, n: int) -> bytes:
        # A frame says itself how long it is.
        if n > limits.AMQP_FRAME_BYTES_MAX:
            raise ConnectionError("The frame is too large.")
        # Nothing is consumed, so there is little that a broker has to say.
        self.left -= n
        if self.left < 0:
            raise ConnectionError("The broker sends too much.")
        return await super().readexactly(n)

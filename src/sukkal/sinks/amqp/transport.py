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

    async def create(self, url: URL, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect. Raises ``OSError`` if no address takes the connection."""
        loop = asyncio.get_running_loop()
        reader = _BoundedReader(loop=loop)
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

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()


class _BoundedReader(asyncio.StreamReader):
    async def readexactly(self, n: int) -> bytes:
        # A frame says itself how long it is.
        if n > limits.AMQP_FRAME_BYTES_MAX:
            raise ConnectionError("The frame is too large.")
        return await super().readexactly(n)

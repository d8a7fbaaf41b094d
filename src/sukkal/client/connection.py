"""Requests to a service and their answers."""

import os
import socket
import ssl
import weakref
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from yarl import URL

from sukkal.client.credentials import Credentials
from sukkal.client.errors import NotConnected, Refused, Unreachable
from sukkal.client.exchange import Answer, outgoing, read_answer, without_password
from sukkal.client.frames import Frames
from sukkal.client.tracing import trace_headers

__all__ = ["Connection"]

_UNAUTHORIZED: Final = 401
_HEARTBEAT_S: Final = 30.0
_FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
_CONNECTIONS: Final = 100
_HEADER_BYTES_MAX: Final = 262_144


class Connection:
    """A service, and who we are there. Used as a context: ``async with Connection(...) as sukkal``.

    ``url`` is the root of the service, for example ``http://127.0.0.1:8888``; ``client_id`` a UUID that stays the same
    for this program; ``tls`` what an ``https`` URL needs beyond the system's own certificates. A request takes at most
    ``timeout_s`` seconds, and ``connections`` of them are on their way at once; the others wait.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        client_id: str,
        timeout_s: float = 30.0,
        tls: ssl.SSLContext | None = None,
        connections: int = _CONNECTIONS,
    ) -> None:
        self._url = url
        self._root = URL(url.rstrip("/"))
        self._shown = str(self._root.with_user(None))
        self._credentials = credentials
        self._client_id = client_id
        self._timeout_s = timeout_s
        self._tls = tls
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._ended = False

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=self._connections, ssl=self._tls or True, socket_factory=self._new_socket, keepalive_timeout=15
        )
        # The answer to a post of 1,000 messages names them all in one header.
        self._session = aiohttp.ClientSession(connector=connector, max_field_size=_HEADER_BYTES_MAX)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def another(self) -> "Connection":
        """Return another one to the same service, which can be ended by itself."""
        return Connection(
            self._url,
            self._credentials,
            client_id=self._client_id,
            timeout_s=self._timeout_s,
            tls=self._tls,
            connections=self._connections,
        )

    def end(self) -> None:
        """Send nothing more: what is on its way is still read.

        A claim that waits is so ended without anything claimed being lost.
        """
        self._ended = True
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_WR)

    async def request(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Return the answer to a request. Raises ``Refused`` for any that says no, ``Unreachable`` if there is none.

        ``path`` begins with a slash and is percent-encoded; ``document`` is sent as JSON, but ``bytes`` as they are.
        Nothing is repeated, but for a token that has ended, which is renewed once.
        """

        async def once() -> Answer:
            session = self._open_session()
            identity = await self._credentials.headers()
            sent = {**trace_headers(), **identity, **(headers or {})}
            request = outgoing(method, path, document, client_id=self._client_id, query=query, headers=sent)
            url = URL(f"{self._root}{request.target}", encoded=True)
            timeout = aiohttp.ClientTimeout(total=timeout_s or self._timeout_s)
            try:
                async with session.request(
                    method, url, data=request.body, headers=request.headers, allow_redirects=False, timeout=timeout
                ) as answer:
                    text = await answer.read()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise self._unreachable(error) from None
            return read_answer(answer.status, answer.headers, text)

        try:
            return await once()
        except Refused as refused:
            if refused.status != _UNAUTHORIZED or not await self._credentials.renew():
                raise
            return await once()

    @asynccontextmanager
    async def frames(self) -> AsyncIterator[Frames]:
        """Connect over WebSocket for a while. Raises ``Refused``, ``Unreachable``."""
        try:
            frames = await self._connect()
        except Refused as refused:
            if refused.status != _UNAUTHORIZED or not await self._credentials.renew():
                raise
            frames = await self._connect()
        try:
            yield frames
        finally:
            await frames.close()

    async def _connect(self) -> Frames:
        session = self._open_session()
        identity = await self._credentials.headers()
        try:
            opened = await session.ws_connect(
                URL(f"{self._root}/v2"),
                headers={**identity, "Client-ID": self._client_id},
                heartbeat=_HEARTBEAT_S,
                max_msg_size=_FRAME_BYTES_MAX,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            )
        except aiohttp.WSServerHandshakeError as error:
            read_answer(error.status, error.headers or {}, b"")
            raise self._unreachable(error) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from None
        sent = {"Client-ID": self._client_id}
        sent |= {name: value for name, value in identity.items() if name.lower() == "x-project-id"}
        return Frames(opened, sent)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("The connection is used before or after its context.")
        if self._ended:
            raise NotConnected("The connection was ended.")
        return self._session

    def _new_socket(self, address: Any) -> socket.socket:
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        self._sockets.add(made)
        return made

    def _unreachable(self, error: Exception) -> Unreachable:
        kind = NotConnected if isinstance(error, aiohttp.ClientConnectorError) else Unreachable
        told = without_password(_reason(error), self._root.raw_authority) or type(error).__name__
        return kind(f"No answer from {self._shown}: {told}")


def _reason(error: Exception) -> str:
    """Return what ended an attempt; of a connection that was not made, what the system said and no more."""
    if type(error) is aiohttp.ClientConnectorError and (error.os_error.errno or 0) > 0:
        return os.strerror(error.os_error.errno or 0)
    return str(error)

"""The ASGI adapter: serves a function from a request to a response under any ASGI server."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, Final

from sukkal import limits
from sukkal.transports.http.exchange import Request, Response, StreamResponse, unambiguous, waits

__all__ = ["Application", "AsgiAdapter", "HttpHandler", "Line"]

HttpHandler = Callable[[Request], Coroutine[Any, Any, Response]]

_NO_BODY: Final = (204, 304)
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

Application = Callable[[_Message, _Receive, _Send], Awaitable[None]]
"""Anything that serves a scope of ASGI."""


class _Gone(Exception):
    """The client has closed the connection."""


class Line:
    """The connection of a request, as far as the server under the application shows it.

    While it is ``watched``, it is not closed when the client has ended its half, which sets ``ended``. ``drop`` closes
    it without an answer.
    """

    def __init__(self, drop: Callable[[], None] = lambda: None) -> None:
        self.watched = False
        self.ended = asyncio.Event()
        self.drop = drop


class AsgiAdapter:
    """An ASGI application around a handler. Bodies larger than ``body_bytes_max`` are not given to it.

    ``sockets`` is the application for scopes of the type ``websocket``.
    """

    def __init__(self, handler: HttpHandler, *, body_bytes_max: int, sockets: Application | None = None) -> None:
        self._handler = handler
        self._sockets = sockets
        self.body_bytes_max = body_bytes_max

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Serve one request, or one connection of the other kind."""
        if scope["type"] == "websocket" and self._sockets is not None:
            await self._sockets(scope, receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"cannot serve {scope['type']}")
        sent = tuple(scope["headers"])
        headers = unambiguous(sent)
        try:
            body, drained = await self._read(receive, headers)
        except _Gone:
            return
        peer = scope.get("client")
        query = scope["query_string"].decode("latin-1")
        request = Request(scope["method"], scope["path"], query, headers, body, peer[0] if peer else "", sent=sent)
        if waits(request):
            response = await _while_connected(self._handler(request), receive, scope.get("line") or Line())
            if response is None:
                return
        else:
            response = await self._handler(request)
        if isinstance(response, StreamResponse):
            await _stream(response, receive, send)
        else:
            await _send(send, response, head=request.method == "HEAD", close=not drained)

    async def _read(self, receive: _Receive, headers: dict[bytes, bytes]) -> tuple[bytes | None, bool]:
        """Return the body, ``None`` if it is too large, and whether all of it was read."""
        most = self.body_bytes_max
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > most + limits.BODY_DRAIN_BYTES_MAX:
            return None, False
        message = await receive()
        body = _part(message)
        if not message.get("more_body"):
            return (body if len(body) <= most else None), True
        parts, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            part = _part(message)
            size += len(part)
            if size <= most:
                parts.append(part)
            elif size > most + limits.BODY_DRAIN_BYTES_MAX:
                # A little too much is read and dropped, so that the client gets to see the answer.
                return None, False
        return (b"".join(parts) if size <= most else None), True


def _part(message: _Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise _Gone
    return bytes(message.get("body", b""))


async def _while_connected(answer: Awaitable[Response], receive: _Receive, line: Line) -> Response | None:
    """Return the answer, or give it up when the client goes away.

    A client that only ends its half of the connection still gets an answer that has come about: so it knows of what
    was done for it, and nothing is given up but what was not done.
    """
    answering = asyncio.ensure_future(answer)
    leaving = (asyncio.ensure_future(_disconnected(receive)), asyncio.ensure_future(line.ended.wait()))
    line.watched = True
    try:
        await asyncio.wait((answering, *leaving), return_when=asyncio.FIRST_COMPLETED)
        answering.cancel()
        await asyncio.wait((answering,))
        if not answering.cancelled():
            return answering.result()
        line.drop()
        return None
    finally:
        line.watched = False
        for each in (answering, *leaving):
            each.cancel()


async def _stream(response: StreamResponse, receive: _Receive, send: _Send) -> None:
    """Send a stream until it ends or the client goes away."""
    try:
        await send({"type": "http.response.start", "status": response.status, "headers": list(response.headers)})
        sending = asyncio.ensure_future(_send_parts(response, send))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            gone.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)
    finally:
        response.end()


async def _send_parts(response: StreamResponse, send: _Send) -> None:
    if response.parts is not None:
        async with contextlib.aclosing(response.parts) as parts:
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: _Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: _Send, response: Response, *, head: bool, close: bool) -> None:
    headers = list(response.headers)
    if response.status not in _NO_BODY:
        headers.append((b"content-length", str(len(response.body)).encode("ascii")))
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})

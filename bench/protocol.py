"""The yardstick of the front: the least that a protocol on httptools and uvloop can do to serve the no-op's handler.

It reads requests and writes answers, and has no limits: not on sizes, nor on time, nor on what waits.
"""

import asyncio
from collections import deque
from email.utils import formatdate
from typing import Any, Final, cast

import httptools

from sukkal.transports.http.adapter import HttpHandler
from sukkal.transports.http.exchange import Header, Request

__all__ = ["BareProtocol"]

_START: Final = b"HTTP/1.1 201 Created\r\ndate: %b\r\n" % formatdate(usegmt=True).encode()


class BareProtocol(asyncio.Protocol):
    """A connection: requests in, answers out, in order. It may use tasks, as one does for a handler that can wait."""

    def __init__(self, handler: HttpHandler, loop: asyncio.AbstractEventLoop, *, tasks: bool = False) -> None:
        self._handler = handler
        self._tasks = tasks
        self._task: asyncio.Task[None] | None = None
        self._loop = loop
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._waiting: deque[Request] = deque()
        self._url = b""
        self._headers: list[Header] = []
        self._parts: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)
        if not self._waiting:
            return
        if self._tasks:
            self._task = self._loop.create_task(self._work())
        else:
            # The no-op's handler waits for nothing, so one step is all it takes.
            try:
                self._work().send(None)
            except StopIteration:
                return

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        path, _, query = self._url.partition(b"?")
        sent, self._headers = self._headers, []
        method = self._parser.get_method().decode()
        self._waiting.append(
            Request(method, path.decode(), query.decode(), dict(sent), b"".join(self._parts), sent=sent)
        )
        self._parts = []

    async def _work(self) -> None:
        while self._waiting:
            response = await self._handler(self._waiting.popleft())
            lines: list[Any] = [_START]
            for name, value in response.headers:
                lines += (name, b": ", value, b"\r\n")
            lines += (b"content-length: %d\r\n\r\n" % len(response.body), response.body)
            self._transport.write(b"".join(lines))

"""A connection of the service's own server without a socket: what is sent to it, and what it sends."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import httptools
import httpx

from sukkal.settings import Settings
from sukkal.transports.http.adapter import HttpHandler
from sukkal.transports.http.wire.connection import Connection
from sukkal.transports.http.wire.shared import Shared

__all__ = ["Line", "WireTransport", "shared_of"]

_HIGH_WATER_BYTES: Final = 65_536
_TURNS: Final = 50


def shared_of(
    handler: HttpHandler,
    settings: Settings,
    *,
    body_bytes_max: int = 262_144,
    elapsed_s: Callable[[], float] = lambda: 0.0,
) -> Shared:
    """Return what the connections of a server share, whose time is in the test's hands."""
    return Shared(
        handler,
        settings,
        asyncio.get_running_loop(),
        body_bytes_max=body_bytes_max,
        elapsed_s=elapsed_s,
        now_ms=lambda: 0,
    )


class Line(asyncio.Transport):
    """The other end of a connection. ``received`` is what has come; ``reading`` whether the server takes more.

    With ``reads`` off, what the server sends stays in its buffer, as when a client does not read. The server is ours
    unless its ``protocol`` is given.
    """

    def __init__(self, shared: Shared | None, protocol: Any = None) -> None:
        super().__init__()
        self.received = b""
        self.reads = True
        self.reading = True
        self.closed = self.aborted = False
        self.changed = asyncio.Event()
        self._unread = 0
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._own = shared is not None
        self.connection = protocol if shared is None else Connection(shared)
        self._loop.call_soon(self.connection.connection_made, self)

    # -- the client's side

    async def say(self, *pieces: bytes) -> None:
        """Send pieces, each as a segment of its own."""
        for piece in pieces:
            await self._outside(partial(self._say, piece))

    def _say(self, piece: bytes) -> None:
        if not self.closed:
            self.connection.data_received(piece)

    async def end(self) -> None:
        """Say that nothing more comes."""
        await self._outside(self._end)

    def _end(self) -> None:
        if not self.closed and not self.connection.eof_received():
            self.close()

    async def read(self, *, on: bool = True) -> None:
        """Read what was left unread, and what comes then if it is to go ``on``."""
        self.reads, self._unread = on, 0
        await self._outside(self.connection.resume_writing)
        self._finish()

    def take(self) -> bytes:
        """Return what has come and forget it."""
        taken, self.received = self.received, b""
        return taken

    async def leave(self) -> None:
        """Be gone."""
        await self._outside(lambda: self._lose(ConnectionResetError()))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(30):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    async def quiet(self) -> None:
        """Wait until nothing more happens, with a handler that does not wait for the clock or a disk."""
        same = 0
        while same < _TURNS:
            before = len(self.received), self.closed
            await asyncio.sleep(0)
            same = same + 1 if before == (len(self.received), self.closed) else 0

    async def _outside(self, call: Callable[[], Any]) -> None:
        """Call as the event loop does: not in a task."""
        done = self._loop.create_future()

        def called() -> None:
            try:
                call()
            finally:
                done.set_result(None)

        self._loop.call_soon(called)
        await done

    # -- the server's side

    def write(self, data: Any) -> None:
        """Take what the server sends."""
        assert not (self._own and self.closed), "it writes on a closed connection"
        self.received += data
        if not self.reads:
            was, self._unread = self._unread, self._unread + len(data)
            if was <= _HIGH_WATER_BYTES < self._unread:
                self.connection.pause_writing()
        self.changed.set()

    def close(self) -> None:
        """Close once all is read."""
        self._closing = True
        self._finish()

    def abort(self) -> None:
        """Close at once."""
        self.aborted = self._closing = True
        self._lose(None)

    def _finish(self) -> None:
        if self._closing and not self._unread:
            self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if not self.closed:
            self.closed = True
            self._loop.call_soon(self.connection.connection_lost, error)
        self.changed.set()

    def is_closing(self) -> bool:
        """Tell whether it closes."""
        return self._closing or self.closed

    def pause_reading(self) -> None:
        """Take no more."""
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        """Take more."""
        assert not self.reading
        self.reading = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Say where the client is."""
        return ("127.0.0.1", 1) if name == "peername" else default


class _Answer:
    """An answer as it comes."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.complete = True


class WireTransport(httpx.AsyncBaseTransport):
    """What httpx needs to talk to a handler behind the server's protocol. Of a stream it reads the first part."""

    def __init__(self, connect: Callable[[], Awaitable[Shared]]) -> None:
        self._connect = connect

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Make one request on a connection of its own."""
        body = await request.aread()
        line = Line(await self._connect())
        head = [b"%b %b HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
        head += [b"%b: %b" % header for header in request.headers.raw]
        if "transfer-encoding" in request.headers:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        await line.say(b"\r\n".join([*head, b"", b""]) + body)
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        try:
            while not answer.complete:
                await line.until(lambda: bool(line.received))
                parser.feed_data(line.take())
                if request.method == "HEAD" or (
                    answer.body and (b"content-type", b"text/event-stream") in answer.headers
                ):
                    break
        finally:
            await line.leave()
        return httpx.Response(parser.get_status_code(), headers=answer.headers, content=answer.body)

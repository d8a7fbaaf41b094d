"""Running an ASGI application under uvicorn, with bounds on what a connection may cost."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httptools
import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from sukkal import limits
from sukkal.settings import Address, Settings
from sukkal.transports.http.adapter import Line
from sukkal.transports.http.tls import Tls

__all__ = ["GuardedProtocol", "HttpServer", "Sockets", "listening_socket", "uvicorn_config"]


def listening_socket(address: Address, settings: Settings) -> socket.socket:
    """Return a socket bound to the address. Raises ``OSError``.

    A connection that it accepts ends when what it was sent is not acknowledged for ``client_read_timeout_s``, where the
    system can do that. Else a peer that vanished without a word would be kept for a quarter of an hour.
    """
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Accepted sockets inherit it.
            bound.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, settings.client_read_timeout_s * limits.SECOND_MS
            )
        bound.bind((host, port))
        bound.listen(settings.backlog)
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound


class Sockets(msgspec.Struct, frozen=True):
    """What serves WebSockets: a protocol of uvicorn's, at which paths it does, and how large a frame may be."""

    protocol: type[asyncio.Protocol]
    at: Callable[[str], bool]
    frame_bytes_max: int


def uvicorn_config(app: Any, settings: Settings, sockets: Sockets | None) -> uvicorn.Config:
    """Return what uvicorn and its protocols are told."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=_guarded(settings, sockets),
        ws=sockets.protocol if sockets else "none",
        # A little too much is read, so that the client gets to see the answer.
        ws_max_size=(sockets.frame_bytes_max if sockets else 0) + limits.BODY_DRAIN_BYTES_MAX,
        ws_ping_interval=limits.WEBSOCKET_PING_S,
        ws_ping_timeout=None,
        ws_per_message_deflate=settings.websocket_compression,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=limits.KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.shutdown_grace_s,
        backlog=settings.backlog,
    )
    config.load()
    return config


class HttpServer(uvicorn.Server):
    """Serves until ``stop`` is called, then lets running requests finish within the grace of the settings.

    ``sockets`` says what takes over when a client asks for a WebSocket; without it nothing does.
    """

    def __init__(
        self,
        app: Any,
        settings: Settings,
        *,
        tls: Tls | None = None,
        sockets: Sockets | None = None,
    ) -> None:
        super().__init__(uvicorn_config(app, settings, sockets))
        self.config.ssl = tls.context if tls else None

    @property
    def connected(self) -> int:
        """How many connections there are."""
        return len(self.server_state.connections)

    def stop(self) -> None:
        """Accept no more connections and end when what runs is finished."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the composition root, which has more to stop than this server."""
        yield


def _nowhere(path: str) -> bool:
    return False


def _guarded(settings: Settings, sockets: Sockets | None) -> type[HttpToolsProtocol]:
    class Guarded(GuardedProtocol):
        headers_timeout_s = settings.request_headers_timeout_s
        body_timeout_s = settings.request_body_timeout_s
        read_timeout_s = settings.client_read_timeout_s
        connections_max = settings.max_connections
        has_sockets = staticmethod(sockets.at if sockets else _nowhere)

    return Guarded


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with limits on the size of headers, on slow clients and on their number.

    Refusals are sent in the error shape of the API.
    """

    headers_timeout_s: int
    body_timeout_s: int
    read_timeout_s: int
    connections_max: int
    has_sockets: Callable[[str], bool]

    _alarm: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None
    _unused_bytes = 0
    _in_head = True
    _begun = False
    _refused = False
    _handed_over = False
    _data = b""
    _line: Line | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection, or refuse one too many."""
        super().connection_made(transport)
        if len(self.connections) > self.connections_max:
            self._refuse(503, "Service temporarily unavailable", "There are too many connections. Try again later.")
        else:
            self._watch(self.headers_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._unwatch()
        self._read_again()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Take note that the client has ended its half, and tell whether the other one stays open for an answer."""
        if self._line is None or not self._line.watched:
            return False
        self._line.ended.set()
        return True

    def on_response_complete(self) -> None:
        """End a request, and the connection if the client has ended its half."""
        if self._line is not None and self._line.ended.is_set():
            self.transport.close()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for the client to read, but not for ever."""
        super().pause_writing()
        self._stall = self.loop.call_later(self.read_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        self._read_again()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client."""
        if self._refused:
            return
        self._data = data
        # Whatever it is that comes, between two steps of a request there is never more than its headers may have:
        # a head without an end, trailers, the extensions of a chunk, blank lines.
        self._unused_bytes += len(data)
        super().data_received(data)
        if self._refused or self._handed_over or self.transport.is_closing():
            return
        if self._unused_bytes > limits.REQUEST_HEADER_BYTES_MAX:
            self._refuse_head()
        elif self._alarm is None and (self._begun or not self._running()):
            self._watch(self.headers_timeout_s if self._in_head else self.body_timeout_s)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._begun = self._in_head = True
        super().on_message_begin()
        self._line = Line(self._drop)
        self.scope["line"] = self._line  # type: ignore[typeddict-unknown-key]

    def on_headers_complete(self) -> None:
        """Begin the body of a request, unless its headers were too large."""
        if self.parser.should_upgrade():
            return  # Either it is served as if it made no offer, or the other protocol begins.
        self._in_head = False
        self._unused_bytes = 0
        self._unwatch()
        if self._refused:
            return
        if (
            sum(len(name) + len(value) for name, value in self.headers) + len(self.url)
            > limits.REQUEST_HEADER_BYTES_MAX
        ):
            self._refuse_head()
            return
        super().on_headers_complete()
        # What comes behind a body would pass for headers that the request began with: it goes nowhere.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._unused_bytes = 0
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request."""
        if self.parser.should_upgrade():
            return
        self._begun = False
        self._in_head = True
        self._unwatch()
        if not self._refused:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(400, "Bad request", "The request is not well-formed HTTP.")

    def _unsupported_upgrade_warning(self) -> None:
        # The parser takes what follows an offer to change protocols for the other one's bytes, even a body. So the
        # request is read again, as one that makes no such offer.
        offer = sys.exception()
        if self.parser.get_method() == b"CONNECT" or not isinstance(offer, httptools.HttpParserUpgrade):
            self.send_400_response("")
            return
        head = [b"%s %s HTTP/1.1" % (self.parser.get_method(), self.url)]
        head += [b"%s: %s" % pair for pair in self.headers if pair[0] != b"upgrade"]
        rest = self._data[offer.args[0] :]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([*head, b"", rest]))

    def _should_upgrade(self) -> bool:
        return (
            super()._should_upgrade()
            and self.has_sockets(self.url.partition(b"?")[0].decode("latin-1"))
            and self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
            and not self._running()
        )

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the other protocol, unless the request for that is too large."""
        self._unwatch()
        head = [b"GET %s HTTP/1.1" % self.url, *[b"%s: %s" % pair for pair in self.headers], b"", b""]
        if sum(map(len, head)) > limits.REQUEST_HEADER_BYTES_MAX:
            self._refuse_head()
            return
        offer = sys.exception()
        if not isinstance(offer, httptools.HttpParserUpgrade) or self._data[offer.args[0] :]:
            self._refuse(400, "Bad request", "Frames may be sent once the service has agreed to a WebSocket.")
            return
        self._handed_over = True
        begin: Any = self.ws_protocol_class
        protocol = begin(config=self.config, server_state=self.server_state, app_state=self.app_state)
        self.connections.discard(self)
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.data_received(b"\r\n".join(head))

    def _refuse_head(self) -> None:
        most = limits.REQUEST_HEADER_BYTES_MAX
        self._refuse(431, "Request header fields too large", f"Path and headers may have {most} bytes together.")

    def _drop(self) -> None:
        if self.cycle is not None:
            self.cycle.disconnected = True
        self.transport.close()

    def _running(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _read_again(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _watch(self, seconds: int) -> None:
        self._alarm = self.loop.call_later(seconds, self._too_slow)

    def _unwatch(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _too_slow(self) -> None:
        self._alarm = None
        self._refuse(408, "Request timeout", "The request did not arrive in time.")

    def _refuse(self, status: int, title: str, description: str) -> None:
        self._refused = True
        self._unwatch()
        if self._running() and self._in_head:
            # It is not the running request that is wrong, but what follows. It gets its answer, and nothing else does.
            self.cycle.keep_alive = False
            return
        # Once an answer has begun, another one would be taken for a part of it.
        if not (self._running() and self.cycle.response_started):
            body = msgspec.json.encode({"title": title, "description": description})
            self.transport.write(
                b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
                % (status, title.encode("ascii"), len(body), body)
            )
        self.transport.close()

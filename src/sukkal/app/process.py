"""The service as a process: its sockets, its signals, its end."""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

import uvloop

from sukkal.app.composition import App, running
from sukkal.clock import Clock, elapsed_s
from sukkal.errors import RouteNotFound, StartupError
from sukkal.ids import OrderedIds
from sukkal.logs import configure_logs
from sukkal.settings import Address, Settings
from sukkal.settings.passwords import without_password
from sukkal.transports.http.adapter import AsgiAdapter, HttpHandler
from sukkal.transports.http.errors import error_response
from sukkal.transports.http.exchange import Request, Response
from sukkal.transports.http.server import HttpServer, Sockets, listening_socket
from sukkal.transports.http.tls import Tls
from sukkal.transports.http.wire import WireServer
from sukkal.transports.websocket.conversations import is_socket_path
from sukkal.transports.websocket.server import guarded_websocket

__all__ = ["serve"]

_log: Final = logging.getLogger("sukkal.app")

Server = HttpServer | WireServer

_COLLECT_AFTER_OBJECTS: Final = 50_000


def serve(settings: Settings, *, ready: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code; ``ready`` is told the URL. Raises ``StartupError``."""
    # Until there is something to read again; by default the signal would end the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    configure_logs(settings)
    _spare_the_collector()
    with asyncio.Runner(loop_factory=lambda: _Loop(settings.request_headers_timeout_s)) as runner:
        return runner.run(_serve(settings, ready))


def _spare_the_collector() -> None:
    # Requests leave next to no cycles behind, but make many objects: at the default threshold the collector runs every
    # few requests, and measured a quarter of a post's time. What is there at the start is never looked at again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER_OBJECTS, 10, 10)


class _Loop(uvloop.Loop):
    """An event loop whose TLS listeners wait no longer for a handshake than for the headers of a request."""

    def __init__(self, handshake_s: int) -> None:
        super().__init__()
        self._handshake_s = handshake_s

    async def create_server(self, *arguments: Any, ssl: Any = None, **options: Any) -> Any:
        """Begin to listen."""
        if ssl is not None:
            options.setdefault("ssl_handshake_timeout", self._handshake_s)
        return await super().create_server(*arguments, ssl=ssl, **options)


async def _serve(settings: Settings, ready: Callable[[str], None]) -> int:
    clock = Clock()
    tls = Tls(settings) if settings.tls_cert_file else None
    async with running(settings, now_ms=clock, new_id=OrderedIds(clock, Random())) as app:
        bound = _bind(settings.address, "listen", settings)
        listeners = [(_server(app.front, app.asgi.body_bytes_max, app, clock, tls), bound)]
        if (address := settings.websocket_address) is not None:
            alone = _server(_no_http, 0, app, clock, tls)
            listeners.append((alone, _bind(address, "websocket_listen", settings)))
            _log.info("listening", extra={"url": f"{'wss' if tls else 'ws'}://{_place(listeners[-1][1])}"})
        _obey_signals(app, [server for server, _ in listeners], tls, settings)
        url = f"{'https' if tls else 'http'}://{_place(bound)}"
        _log.info("listening", extra={"url": url, "store": without_password(settings.store), "auth": settings.auth})
        ready(url)
        await asyncio.gather(*(server.serve(sockets=[place]) for server, place in listeners))
    _log.info("stopped")
    return 0


def _server(handler: HttpHandler, body_bytes_max: int, app: App, clock: Clock, tls: Tls | None) -> Server:
    settings = app.services.settings
    sockets = Sockets(guarded_websocket(settings), is_socket_path, app.sockets.frame_bytes_max)
    asgi = AsgiAdapter(handler, body_bytes_max=body_bytes_max, sockets=app.sockets.adapter)
    if settings.http_server == "uvicorn":
        server: Server = HttpServer(asgi, settings, tls=tls, sockets=sockets)
        app.doors.add(lambda: server.connected)
        return server
    server = WireServer(
        handler,
        settings,
        body_bytes_max=body_bytes_max,
        elapsed_s=elapsed_s,
        now_ms=clock,
        app=asgi,
        tls=tls,
        sockets=sockets,
    )
    app.doors.add(lambda: server.connected)
    return server


def _obey_signals(app: App, servers: Sequence[Server], tls: Tls | None, settings: Settings) -> None:
    def stop() -> None:
        _log.info("stopping", extra={"grace_s": settings.shutdown_grace_s})
        for server in servers:
            server.stop()
        app.waiting.close()
        app.listeners.close()
        app.sockets.connections.stop()

    def reload() -> None:
        app.reloading.reload()
        if tls is not None:
            app.reloading.attempt("TLS certificate", tls.reload)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, reload)


def _bind(address: Address, setting: str, settings: Settings) -> socket.socket:
    try:
        return listening_socket(address, settings)
    except OSError as error:
        raise StartupError(
            f"Cannot listen on {address.host}:{address.port}: {error.strerror}. Choose another address with the "
            f"setting `{setting}`."
        ) from error


async def _no_http(request: Request) -> Response:
    return error_response(RouteNotFound("This port is for WebSockets only."))


def _place(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if bound.family == socket.AF_INET6 else f"{host}:{port}"

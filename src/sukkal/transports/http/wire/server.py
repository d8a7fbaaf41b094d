"""The server: its listener, its looks at the clock, and its end."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from sukkal.settings import Settings
from sukkal.transports.http.adapter import HttpHandler
from sukkal.transports.http.server import Sockets, uvicorn_config
from sukkal.transports.http.tls import Tls
from sukkal.transports.http.wire.connection import Connection
from sukkal.transports.http.wire.shared import LOOK_S, Shared
from sukkal.transports.http.wire.sockets import SocketHandover

__all__ = ["WireServer"]

_log: Final = logging.getLogger("sukkal.http")

_DRAIN_LOOK_S: Final = 0.05


class WireServer:
    """Serves until ``stop`` is called, then lets running requests finish within the grace of the settings.

    ``handler`` answers requests, whose bodies have at most ``body_bytes_max``. ``app`` is the ASGI application that
    serves WebSockets, if ``sockets`` says where there are any. Make it on the loop that it is to run on.
    """

    def __init__(
        self,
        handler: HttpHandler,
        settings: Settings,
        *,
        body_bytes_max: int,
        elapsed_s: Callable[[], float],
        now_ms: Callable[[], int],
        app: Any = None,
        tls: Tls | None = None,
        sockets: Sockets | None = None,
    ) -> None:
        self._tls = tls
        self._grace_s = settings.shutdown_grace_s
        self._backlog = settings.backlog
        self._stopping = asyncio.Event()
        self._shared = Shared(
            handler,
            settings,
            asyncio.get_running_loop(),
            body_bytes_max=body_bytes_max,
            elapsed_s=elapsed_s,
            now_ms=now_ms,
        )
        self._sockets: SocketHandover | None = None
        if sockets is not None:
            config = uvicorn_config(app, settings, sockets)
            self._sockets = self._shared.handover = SocketHandover(sockets, config, self._shared.heads.date)

    @property
    def connected(self) -> int:
        """How many connections there are."""
        return self._shared.connected

    async def serve(self, sockets: Sequence[socket.socket]) -> None:
        """Accept connections on bound sockets until the end."""
        loop, context = asyncio.get_running_loop(), self._tls.context if self._tls else None
        listeners = [
            await loop.create_server(lambda: Connection(self._shared), sock=each, ssl=context, backlog=self._backlog)
            for each in sockets
        ]
        looking = asyncio.create_task(self._look())
        try:
            await self._stopping.wait()
            for listener in listeners:
                listener.close()
            await self._drain()
        finally:
            looking.cancel()

    def stop(self) -> None:
        """Accept no more connections and end when what runs is finished."""
        self._stopping.set()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                self._shared.look()
            except Exception:  # noqa: BLE001 - a defect must not let everybody take all the time in the world
                _log.exception("looking at the clock failed")

    async def _drain(self) -> None:
        for connection in tuple(self._shared.connections):
            connection.stop()
        if self._sockets is not None:
            self._sockets.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._grace_s):
                while self._busy():  # noqa: ASYNC110 - connections end in many ways
                    await asyncio.sleep(_DRAIN_LOOK_S)
                return
        self._give_up()

    def _busy(self) -> bool:
        shared, sockets = self._shared, self._sockets
        return bool(shared.connections or shared.working or (sockets and (len(sockets) or sockets.tasks)))

    def _give_up(self) -> None:
        running = self._shared.connections | self._shared.working
        _log.error("gave up %d connections after the grace of %d s", len(running), self._grace_s)
        for connection in running:
            connection.give_up()
        if self._sockets is not None:
            for task in self._sockets.tasks:
                task.cancel()

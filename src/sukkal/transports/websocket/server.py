"""Running WebSockets under uvicorn, with bounds on what a connection may cost."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any, Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import State

from sukkal import limits
from sukkal.settings import Settings

__all__ = ["WRITE", "GuardedWebSocket", "guarded_websocket"]

WRITE: Final = "sukkal.websocket.write"
"""The extension of a connection's scope that has its ``write``."""

# The library reports what clients do wrong, queries and frames included. What matters of that is counted elsewhere.
_quiet: Final = logging.getLogger("sukkal.websocket.protocol")
_quiet.setLevel(logging.CRITICAL + 1)


def guarded_websocket(settings: Settings) -> type["GuardedWebSocket"]:
    """Return the protocol with the bounds of the settings."""

    class Guarded(GuardedWebSocket):
        frame_timeout_s = settings.request_body_timeout_s
        idle_timeout_s = settings.websocket_idle_timeout_s

    return Guarded


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, with limits on slow, idle and deaf clients, and on pieces of frames."""

    frame_timeout_s: int
    idle_timeout_s: int

    _frame_alarm: asyncio.TimerHandle | None = None
    _idle_alarm: asyncio.TimerHandle | None = None
    _abort_alarm: asyncio.TimerHandle | None = None
    _heard = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.logger = _quiet
        self.conn.logger = _quiet
        self.conn.debug = False
        self.close_timeout = limits.WEBSOCKET_CLOSE_S

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection."""
        super().connection_made(transport)
        self._idle_alarm = self.loop.call_later(self.idle_timeout_s, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        for alarm in (self._frame_alarm, self._idle_alarm, self._abort_alarm):
            if alarm is not None:
                alarm.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client."""
        self._heard = True
        super().data_received(data)
        if self.transport.get_write_buffer_size() > limits.WEBSOCKET_UNREAD_BYTES_MAX:
            # Pings are answered at once, whether anybody reads that or not.
            self.transport.abort()
            return
        if self.transport.is_closing():
            self._abort_later()
        elif not self._in_the_middle():
            self._unwatch_frame()
        elif self._frame_alarm is None:
            self._frame_alarm = self.loop.call_later(self.frame_timeout_s, self._too_slow)

    def handle_connect(self, event: Request) -> None:
        """Begin to serve a connection."""
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self.scope["extensions"][WRITE] = {"write": self.write}

    def write(self, wire: bytes) -> bool:
        """Send the bytes of a whole frame unless they had to wait; tell whether they were sent."""
        ready = self.handshake_complete and self.conn.state is State.OPEN and not self.transport.is_closing()
        if not (ready and self.writable.is_set()):
            return False
        self.transport.write(wire)
        return True

    def handle_cont(self, event: Frame) -> None:
        """Take a further piece of a frame."""
        if len(self.frames) >= limits.WEBSOCKET_FRAGMENTS_MAX:
            self._fail(1009, f"A frame may come in {limits.WEBSOCKET_FRAGMENTS_MAX} pieces.")
            return
        super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Hand a whole frame on."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode("utf-8")
            except UnicodeDecodeError as error:
                self.frames = []
                self._fail(1007, f"The frame is not UTF-8 at byte {error.start}.")
                return
        super().send_receive_event_to_app()

    def shutdown(self) -> None:
        """Let the application end the connection, which it has been told to do and does after what it is at."""
        if not self.handshake_complete:
            super().shutdown()

    async def run_asgi(self) -> None:
        """Serve the connection."""
        await super().run_asgi()
        self._abort_later()

    def _in_the_middle(self) -> bool:
        return bool(self.frames) or len(self.conn.reader.buffer) > 0

    def _unwatch_frame(self) -> None:
        if self._frame_alarm is not None:
            self._frame_alarm.cancel()
            self._frame_alarm = None

    def _too_slow(self) -> None:
        self._frame_alarm = None
        if self.read_paused:
            # It is the service that does not read.
            self._frame_alarm = self.loop.call_later(self.frame_timeout_s, self._too_slow)
        else:
            self._fail(1008, f"A frame did not arrive within {self.frame_timeout_s} seconds.")

    def _look(self) -> None:
        heard, self._heard = self._heard, False
        if heard or self.read_paused:
            self._idle_alarm = self.loop.call_later(self.idle_timeout_s, self._look)
        else:
            self._fail(1001, f"Nothing came for {self.idle_timeout_s} seconds.")

    def _fail(self, code: int, reason: str) -> None:
        if self.close_sent or self.transport.is_closing():
            return
        self.conn.fail(code, reason)
        self.handle_parser_exception()
        self._abort_later()

    def _abort_later(self) -> None:
        # Closing waits for the client to read what is left, which it may never do.
        if self._abort_alarm is None and not self.disconnected:
            self._abort_alarm = self.loop.call_later(2 * limits.WEBSOCKET_CLOSE_S, self._abort)

    def _abort(self) -> None:
        cast("asyncio.WriteTransport", self.transport).abort()

"""The bare broadcast: what is posted goes to every WebSocket that has asked for it, and nothing else is done.

It is the same server as the service's, HTTP and WebSocket protocols included, with an application that looks at
nothing: any frame of a connection subscribes it, and every request is a post.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import uvloop

from bench.notifications import NOTIFICATION
from sukkal.settings import Settings
from sukkal.transports.http.server import HttpServer, Sockets, listening_socket
from sukkal.transports.websocket.conversations import is_socket_path
from sukkal.transports.websocket.server import guarded_websocket

__all__ = ["main"]

_SETTINGS: Final = Settings(listen="127.0.0.1:0", store="memory://")
_FRAME_BYTES_MAX: Final = 1 << 20
_ANSWER: Final = b'{"resources":[]}'
_SUBSCRIBED: Final = '{"request":{},"body":{},"headers":{"status":201}}'

_Event = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Event]]
_Send = Callable[[_Event], Awaitable[None]]


class _Broadcast:
    """An ASGI application."""

    def __init__(self) -> None:
        self._listeners: dict[_Send, None] = {}
        self._frame: _Event = {"type": "websocket.send", "text": NOTIFICATION.decode()}

    async def __call__(self, scope: _Event, receive: _Receive, send: _Send) -> None:
        await (self._post if scope["type"] == "http" else self._listen)(receive, send)

    async def _post(self, receive: _Receive, send: _Send) -> None:
        while (await receive()).get("more_body"):
            pass
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_ANSWER))]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": _ANSWER})
        for listener in self._listeners:
            await listener(self._frame)

    async def _listen(self, receive: _Receive, send: _Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while (await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": _SUBSCRIBED})
                self._listeners[send] = None
        finally:
            self._listeners.pop(send, None)


def main() -> None:
    """Serve until killed."""
    # As the service does.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())


async def _serve() -> None:
    bound = listening_socket(_SETTINGS.address, _SETTINGS)
    print(f"listening on http://127.0.0.1:{bound.getsockname()[1]}", flush=True)
    sockets = Sockets(guarded_websocket(_SETTINGS), is_socket_path, _FRAME_BYTES_MAX)
    await HttpServer(_Broadcast(), _SETTINGS, sockets=sockets).serve(sockets=[bound])


if __name__ == "__main__":
    main()

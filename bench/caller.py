"""The bare caller of webhooks: an aiohttp client that posts the same body again and again.

A request to it, whose JSON body is a URL and a number of requests at once, makes it begin. It ends when nobody is there
any more.
"""

import asyncio
import contextlib
import time
from typing import Final

import aiohttp
import msgspec
import uvloop

from bench.notifications import NOTIFICATION
from sukkal.settings import Settings
from sukkal.transports.http.adapter import AsgiAdapter
from sukkal.transports.http.exchange import JSON, Request, Response
from sukkal.transports.http.server import HttpServer, listening_socket

__all__ = ["main"]

_SETTINGS: Final = Settings(listen="127.0.0.1:0", store="memory://")
_HEADERS: Final = {
    "content-type": "application/json",
    "user-agent": "Sukkal",
    "webhook-id": "01a1fd0d-2866-7000-871e-13779d1a50dc",
}


class _Caller:
    """Calls with as many requests at once as it is told."""

    def __init__(self) -> None:
        self._calling: set[asyncio.Task[None]] = set()

    async def begin(self, request: Request) -> Response:
        """Begin to call."""
        url, at_once = msgspec.json.decode(request.body or b"", type=tuple[str, int])
        task = asyncio.create_task(_call(url, at_once))
        self._calling.add(task)
        task.add_done_callback(self._calling.discard)
        return Response(201, b"{}", (JSON,))


async def _call(url: str, at_once: int) -> None:
    async with aiohttp.ClientSession() as session:

        async def call() -> None:
            with contextlib.suppress(aiohttp.ClientError):
                while True:
                    headers = {**_HEADERS, "webhook-timestamp": str(int(time.time()))}
                    async with session.post(url, data=NOTIFICATION, headers=headers) as answer:
                        await answer.read()

        await asyncio.wait([asyncio.create_task(call()) for _ in range(at_once)])


async def _serve() -> None:
    bound = listening_socket(_SETTINGS.address, _SETTINGS)
    print(f"listening on http://127.0.0.1:{bound.getsockname()[1]}", flush=True)
    app = AsgiAdapter(_Caller().begin, body_bytes_max=_SETTINGS.max_messages_post_size)
    await HttpServer(app, _SETTINGS).serve(sockets=[bound])


def main() -> None:
    """Serve until killed."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())


if __name__ == "__main__":
    main()

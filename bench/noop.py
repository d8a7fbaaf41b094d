"""The service's HTTP server with a handler that does nothing: the measure of all the other figures.

It is the same server in everything but the handler: sockets, limits, protocol, event loop, collector, routes and the
checks of headers. The answer is constant and looks like that of a post of one message. ``python -m bench.noop bare``
puts the handler in front of the routes and checks, directly behind the protocol. A further word is ``uvicorn``, for the
ASGI adapter under that, or ``protocol`` and ``tasks``, for the least that a protocol can do, without a task for each
request or with one; else it is the service's own server.
"""

import asyncio
import gc
import sys
import time
from typing import Final

import uvloop

from bench.protocol import BareProtocol
from sukkal.app import running
from sukkal.settings import Settings
from sukkal.transports.http.adapter import AsgiAdapter, HttpHandler
from sukkal.transports.http.call import Call
from sukkal.transports.http.exchange import JSON, Header, Request, Response
from sukkal.transports.http.handlers import HANDLERS
from sukkal.transports.http.server import HttpServer, listening_socket
from sukkal.transports.http.wire import WireServer

__all__ = ["main"]

_SETTINGS: Final = Settings(listen="127.0.0.1:0", store="memory://")
_ID: Final = "01a1fd0d-2866-7000-871e-13779d1a50dc"
_BODY: Final = b'{"resources":["/v2/queues/post1/messages/01a1fd0d-2866-7000-871e-13779d1a50dc"]}'
_HEADERS: Final[tuple[Header, ...]] = (
    (b"location", b"/v2/queues/post1/messages?ids=01a1fd0d-2866-7000-871e-13779d1a50dc"),
    JSON,
)
_REQUEST_ID: Final[Header] = (b"x-openstack-request-id", b"req-8f1e3a52-0c6b-4c8e-9d4e-51c1b6a3a1d7")


def main() -> None:
    """Serve until killed."""
    # As the service does.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    serve = _serve_bare if "bare" in sys.argv[1:] else _serve_routed
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


async def _serve_bare() -> None:
    await _serve(_answer)


async def _serve_routed() -> None:
    HANDLERS["messages.post"] = _answer_call
    async with running(_SETTINGS, now_ms=_now_ms, new_id=lambda: _ID) as app:
        await _serve(app.front)


async def _serve(handler: HttpHandler) -> None:
    bound = listening_socket(_SETTINGS.address, _SETTINGS)
    print(f"listening on http://127.0.0.1:{bound.getsockname()[1]}", flush=True)
    most = _SETTINGS.max_messages_post_size
    if "uvicorn" in sys.argv[1:]:
        await HttpServer(AsgiAdapter(handler, body_bytes_max=most), _SETTINGS).serve(sockets=[bound])
    elif "protocol" in sys.argv[1:]:
        loop = asyncio.get_running_loop()
        tasks = "tasks" in sys.argv[1:]
        server = await loop.create_server(lambda: BareProtocol(handler, loop, tasks=tasks), sock=bound)
        await server.serve_forever()
    else:
        own = WireServer(handler, _SETTINGS, body_bytes_max=most, elapsed_s=time.perf_counter, now_ms=_now_ms)
        await own.serve([bound])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _answer(request: Request) -> Response:
    return Response(201, _BODY, (*_HEADERS, _REQUEST_ID))


async def _answer_call(call: Call) -> Response:
    return Response(201, _BODY, _HEADERS)


if __name__ == "__main__":
    main()

"""The composition root: makes the parts, hands them to each other, and runs them."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import uvloop
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from sukkal.clock import Clock, elapsed_s
from sukkal.errors import StartupError, SukkalError
from sukkal.ids import CountedIds, OrderedIds
from sukkal.logs import configure_logs
from sukkal.service.background import Background
from sukkal.service.claims import Claims
from sukkal.service.dead_letters import Burials
from sukkal.service.health import Health
from sukkal.service.messages import Messages
from sukkal.service.queues import Queues
from sukkal.service.sweeper import Sweeper
from sukkal.service.waiting import Waiting
from sukkal.settings import Settings
from sukkal.store import Engine
from sukkal.transports.http.adapter import AsgiAdapter
from sukkal.transports.http.call import Services
from sukkal.transports.http.exchange import Response, json_response
from sukkal.transports.http.front import Front, Page
from sukkal.transports.http.measures import Measures
from sukkal.transports.http.openapi import openapi_page
from sukkal.transports.http.server import HttpServer, listening_socket

__all__ = ["App", "running", "serve"]

_log: Final = logging.getLogger("sukkal.app")

_COLLECT_AFTER_OBJECTS: Final = 50_000


class App(msgspec.Struct, frozen=True):
    """A running service without a socket."""

    asgi: AsgiAdapter
    front: Front
    services: Services
    waiting: Waiting
    sweeper: Sweeper


@contextlib.asynccontextmanager
async def running(settings: Settings, *, now_ms: Callable[[], int], new_id: Callable[[], str]) -> AsyncIterator[App]:
    """Start the engine and everything around it; stop it all at the end. Raises ``StartupError``."""
    engine = _engine(settings)
    await engine.start()
    background = Background()
    waiting = Waiting(engine, now_ms)
    burials = Burials(engine, waiting, now_ms, new_id)
    services = Services(
        Queues(engine, settings, now_ms),
        Messages(engine, settings, waiting, now_ms, new_id),
        Claims(engine, settings, waiting, burials, background, now_ms, new_id),
        Health(engine, now_ms, new_id),
        settings,
    )
    sweeper = Sweeper(engine, burials, now_ms)
    front = _front(services, engine, now_ms)
    body_bytes_max = max(settings.max_messages_post_size, settings.max_queue_metadata)
    app = App(AsgiAdapter(front, body_bytes_max=body_bytes_max), front, services, waiting, sweeper)
    sweeping = asyncio.create_task(_sweep(sweeper, engine, settings.sweep_interval_s, now_ms))
    try:
        yield app
    finally:
        waiting.close()
        sweeping.cancel()
        await asyncio.wait((sweeping,))
        await background.finish()
        await engine.close()


def serve(settings: Settings, *, ready: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code; ``ready`` is told the URL. Raises ``StartupError``."""
    configure_logs(settings)
    _spare_the_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, ready))


def _spare_the_collector() -> None:
    # Requests leave next to no cycles behind, but make many objects: at the default threshold the collector runs every
    # few requests, and measured a quarter of a post's time. What is there at the start is never looked at again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER_OBJECTS, 10, 10)


async def _serve(settings: Settings, ready: Callable[[str], None]) -> int:
    clock = Clock()
    async with running(settings, now_ms=clock, new_id=OrderedIds(clock, Random())) as app:
        bound = _bind(settings)
        server = HttpServer(app.asgi, settings)

        def stop() -> None:
            _log.info("stopping", extra={"grace_s": settings.shutdown_grace_s})
            server.stop()
            app.waiting.close()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        host, port = bound.getsockname()[:2]
        url = f"http://[{host}]:{port}" if bound.family == socket.AF_INET6 else f"http://{host}:{port}"
        _log.info("listening", extra={"url": url, "store": settings.store, "auth": settings.auth})
        ready(url)
        await server.serve(sockets=[bound])
    _log.info("stopped")
    return 0


def _bind(settings: Settings) -> socket.socket:
    try:
        return listening_socket(settings)
    except OSError as error:
        raise StartupError(
            f"Cannot listen on {settings.listen}: {error.strerror}. Choose another address with the setting `listen`."
        ) from error


def _engine(settings: Settings) -> Engine:
    # Only the engine that is asked for is loaded, with what it depends on.
    if settings.directory is None:
        from sukkal.engines.memory import MemoryEngine

        return MemoryEngine()
    from sukkal.engines.sqlite import SqliteEngine

    return SqliteEngine(Path(settings.directory))


def _front(services: Services, engine: Engine, now_ms: Callable[[], int]) -> Front:
    settings = services.settings
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    stalled = Gauge("sukkal_store_stalled_seconds", "How long writes have waited for a commit.", registry=registry)
    stalled.set_function(lambda: engine.stalled_ms(now_ms()) / 1_000)
    measures = Measures(registry)

    async def healthz() -> Response:
        stalled_s = engine.stalled_ms(now_ms()) / 1_000
        healthy = stalled_s < settings.stalled_after_s
        return json_response(
            200 if healthy else 503, {"status": "ok" if healthy else "stalled", "stalled_seconds": stalled_s}
        )

    pages: dict[str, Page] = {"/healthz": healthz, "/openapi.json": openapi_page(settings)}
    if settings.metrics:
        pages["/metrics"] = measures.page
    return Front(services, measures, pages=pages, new_request_id=CountedIds(Random()), elapsed_s=elapsed_s)


async def _sweep(sweeper: Sweeper, engine: Engine, interval_s: int, now_ms: Callable[[], int]) -> None:
    while True:
        await asyncio.sleep(interval_s)
        engine.stalled_ms(now_ms())  # Stalling is told by comparing two looks.
        try:
            if removed := await sweeper.sweep():
                _log.debug("swept", extra={"rows": removed})
        except SukkalError as error:
            _log.warning("sweeping failed: %s", error)

"""The forwarder as a process: its routes, its signals, its metrics, its end."""

import asyncio
import logging
import signal
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Final

import uvloop
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from sukkal import limits
from sukkal.clock import Clock
from sukkal.errors import StartupError
from sukkal.formats import Registry, installed_formats
from sukkal.forwarder.building import Built, Surroundings, build
from sukkal.forwarder.configuration import Configuration
from sukkal.forwarder.measures import RouteMeasures
from sukkal.logs import configure_logs
from sukkal.settings import Settings

__all__ = ["check", "forward"]

_log: Final = logging.getLogger("sukkal.forwarder")

_GRACE_S: Final = 10
"""How long what was taken may take to be accepted when the process is to end; all else is brought again."""


def forward(configuration: Configuration, *, ready: Callable[[str], None]) -> int:
    """Forward until SIGTERM or SIGINT and return the exit code. Raises ``StartupError``.

    ``ready`` is told where the metrics are, or nothing.
    """
    configure_logs(Settings(log_level=configuration.log_level))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_forward(configuration, ready))


def check(configuration: Configuration) -> list[str]:
    """Return the names of the routes that a configuration makes. Raises ``SettingsError``; nothing is connected to."""
    return [route.lag.route for route in build(configuration, _surroundings()).routes]


def _surroundings() -> Surroundings:
    return Surroundings(
        registry=Registry(installed_formats()),
        now_ms=Clock(),
        random=Random().random,
        sleep=asyncio.sleep,
        client_id=str(uuid.uuid4()),
    )


async def _forward(configuration: Configuration, ready: Callable[[str], None]) -> int:
    around = _surroundings()
    built = build(configuration, around)
    async with _metrics(configuration.metrics_listen, RouteMeasures(built.routes, around.now_ms)) as place:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, _stop, built)
        reporting = asyncio.create_task(_report(built, configuration.report_s))
        ready(place)
        try:
            await _run(built)
        finally:
            reporting.cancel()
            await _close(built)
    _log.info("stopped")
    return 0


def _stop(built: Built) -> None:
    _log.info("stopping", extra={"grace_s": _GRACE_S})
    for route in built.routes:
        route.stop()
    asyncio.get_running_loop().call_later(_GRACE_S, _give_up, asyncio.all_tasks())


def _give_up(tasks: set[asyncio.Task[object]]) -> None:
    for task in tasks:
        if task.get_name().startswith("route "):
            task.cancel()


async def _run(built: Built) -> None:
    tasks = [asyncio.create_task(route.run(), name=f"route {route.lag.route}") for route in built.routes]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            if not task.cancelled():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _close(built: Built) -> None:
    for route in built.routes:
        await route.close()
    for publisher in built.publishers:
        await publisher.close()
    await built.dead_letters.close()


async def _report(built: Built, report_s: float) -> None:
    # Until then the sources have usually connected, and know what waits there.
    await asyncio.sleep(min(report_s, limits.FORWARDER_FIRST_REPORT_S))
    while True:
        for route in built.routes:
            await route.measure()
            lag = route.lag
            told: dict[str, object] = {
                "route": lag.route,
                "waiting": lag.waiting,
                "held": len(route.held),
                "accepted": lag.accepted,
            }
            told |= {"dead": lag.dead, "failures": lag.failures, "last_delay_s": lag.last_delay_s}
            _log.info("lag", extra=told)
        await asyncio.sleep(report_s)


@asynccontextmanager
async def _metrics(listen: str | None, measures: RouteMeasures) -> AsyncIterator[str]:
    """Serve the metrics while the context lasts, and return where."""
    if listen is None:
        yield ""
        return
    registry = CollectorRegistry()
    registry.register(measures)

    async def page(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.router.add_get("/metrics", page)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    host, _, port = listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        await runner.cleanup()
        raise StartupError(f"metrics_listen: cannot listen on {listen}: {error.strerror}.") from error
    try:
        bound = runner.addresses[0]
        yield f"http://{host}:{bound[1]}/metrics"
    finally:
        await runner.cleanup()

"""Making the parts and handing them to each other."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, Final

import msgspec
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from sukkal import limits
from sukkal.app.access import Entrance, entrance
from sukkal.app.doors import Doors
from sukkal.app.engines import drains_of, pooled_engine
from sukkal.app.measures import DeliveryMeasures, LogCounts, ProcessMeasures, StoreMeasures
from sukkal.app.presence import Presence, presence_at
from sukkal.app.pulse import Pulse
from sukkal.app.push import Push, push
from sukkal.app.reloading import Reloading
from sukkal.app.services import services_of
from sukkal.app.sinks import installed_sinks
from sukkal.app.sockets import WebSockets, web_sockets
from sukkal.app.steering import SteeredClock
from sukkal.app.traces import traces
from sukkal.app.upkeep import Upkeep, upkeep
from sukkal.clock import elapsed_s
from sukkal.console import console_files
from sukkal.engines.commits import Commits
from sukkal.errors import SukkalError
from sukkal.formats import Registry, installed_formats
from sukkal.ids import CountedIds
from sukkal.pools import PooledEngine
from sukkal.pools.draining import Drains
from sukkal.service.background import Background
from sukkal.service.deliveries import Deliveries
from sukkal.service.incoming import Posted
from sukkal.service.lenses import Lenses
from sukkal.service.listening import Listeners
from sukkal.service.neighbours import Neighbours
from sukkal.service.quotas import Quotas
from sukkal.service.recognising import Recogniser
from sukkal.service.sweeper import Sweeper
from sukkal.service.trusts import TrustedOrders
from sukkal.service.waiting import Waiting
from sukkal.settings import Settings
from sukkal.sink import Sink
from sukkal.store import Engine
from sukkal.tracing import Tracer
from sukkal.transports.http.adapter import AsgiAdapter
from sukkal.transports.http.console import console_pages
from sukkal.transports.http.exchange import Page, Request, Response, json_response
from sukkal.transports.http.front import Front
from sukkal.transports.http.measures import Measures, QuotaMeasures, SearchMeasures, metrics_page
from sukkal.transports.http.openapi import openapi_page
from sukkal.transports.http.senders import credentials_of
from sukkal.transports.services import Services
from sukkal.transports.websocket.asyncapi import asyncapi_page

__all__ = ["App", "running"]

_log: Final = logging.getLogger("sukkal.app")

_LOOK_S: Final = 1
_LOOK_AGAIN_S: Final = 3
_LIMITS_LOOK_S: Final = 5
_CLOCK_LOOK_S: Final = 30
_DELIVERIES_LOOK_S: Final = 0.5
_TRUSTS_LOOK_S: Final = 30
_POOLS_LOOK_S: Final = 5
_AFTER_FAILURE_S: Final = 0.5


class App(msgspec.Struct, frozen=True):
    """A running service without a socket. Its ``clock`` is one that goes by another's, if there is such."""

    asgi: AsgiAdapter
    front: Front
    services: Services
    neighbours: Neighbours
    waiting: Waiting
    listeners: Listeners
    deliveries: Deliveries
    trusts: TrustedOrders | None
    sweeper: Sweeper
    drains: Drains
    reloading: Reloading
    sockets: WebSockets
    doors: Doors
    failures: Counter[str]
    clock: SteeredClock | None = None


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    *,
    now_ms: Callable[[], int],
    new_id: Callable[[], str],
    sinks: Callable[[Settings], Sequence[Sink]] = installed_sinks,
    steered: bool = True,
) -> AsyncIterator[App]:
    """Start the engine and everything around it; stop it all at the end. Raises ``StartupError``.

    A ``steered`` clock goes by that of a shared store; one that is turned by hand must not.
    """
    clock, reloading = SteeredClock(now_ms), Reloading()
    commits, registry = Commits(elapsed_s), CollectorRegistry()
    lenses = Lenses(Recogniser(Registry(installed_formats())))
    async with contextlib.AsyncExitStack() as stack:
        tracer = await stack.enter_async_context(traces(settings))
        engine = await stack.enter_async_context(_store(settings, clock, commits))
        if steered and engine.shared is not None:
            await clock.begin(engine.shared)
            now_ms = clock
        background = Background()
        stack.push_async_callback(background.finish)
        door = await stack.enter_async_context(entrance(settings, engine, reloading, now_ms))
        quotas = Quotas(engine, door.limits, now_ms, good_for_ms=limits.COUNT_GOOD_FOR_MS if engine.shared else None)
        present = presence_at(engine, door, lenses, now_ms)

        async def post(*what: Any, **more: Any) -> Posted:
            return await services.messages.post(*what, **more)

        pushing = await stack.enter_async_context(
            push(settings, engine, present, door, quotas, sinks(settings), lenses, post, tracer, now_ms, new_id)
        )
        keeping = upkeep(settings, engine, present, pushing, now_ms, new_id)
        services = services_of(
            settings,
            engine,
            present,
            door,
            pushing,
            keeping,
            lenses=lenses,
            quotas=quotas,
            background=background,
            tracer=tracer,
            now_ms=now_ms,
            new_id=new_id,
        )
        front, sockets, asgi = _transports(services, door, engine, registry, tracer, now_ms)
        drains = drains_of(engine, new_id(), now_ms)
        app = _app(services, present, pushing, keeping, drains, front, sockets, asgi, reloading)
        if now_ms is clock:
            app = msgspec.structs.replace(app, clock=clock)
        registry.register(StoreMeasures(engine, commits, pushing, services.claims, keeping))
        registry.register(DeliveryMeasures(pushing, keeping))
        _measure_process(stack, registry, app, present, clock)
        _begin(stack, app, engine, now_ms)
        yield app


@contextlib.asynccontextmanager
async def _store(settings: Settings, clock: SteeredClock, commits: Commits) -> AsyncIterator[PooledEngine]:
    engine = pooled_engine(settings, clock, commits)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def _app(
    services: Services,
    present: Presence,
    pushing: Push,
    keeping: Upkeep,
    drains: Drains,
    front: Front,
    sockets: WebSockets,
    asgi: AsgiAdapter,
    reloading: Reloading,
) -> App:
    return App(
        asgi=asgi,
        front=front,
        services=services,
        neighbours=present.neighbours,
        waiting=present.waiting,
        listeners=present.listeners,
        deliveries=pushing.deliveries,
        trusts=pushing.trusts,
        sweeper=keeping.sweeper,
        drains=drains,
        reloading=reloading,
        sockets=sockets,
        doors=Doors(),
        failures=Counter(),
    )


def _measure_process(
    stack: contextlib.AsyncExitStack, registry: CollectorRegistry, app: App, present: Presence, clock: SteeredClock
) -> None:
    pulse, logs = Pulse(elapsed_s), LogCounts()
    pulse.begin()
    stack.callback(pulse.end)
    root = logging.getLogger()
    root.addHandler(logs)
    stack.callback(root.removeHandler, logs)
    registry.register(ProcessMeasures(app.services.settings, pulse, app.doors, present, clock, app.failures, logs))


def _begin(stack: contextlib.AsyncExitStack, app: App, engine: PooledEngine, now_ms: Callable[[], int]) -> None:
    for work in _works(app, engine, app.services.settings.sweep_interval_s, now_ms):
        app.failures[work[0]] = 0
        stack.push_async_callback(_end, asyncio.create_task(_keep_doing(*work, app.failures)))
    stack.push_async_callback(app.sockets.connections.drain)
    stack.callback(app.listeners.close)
    stack.callback(app.waiting.close)


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait((task,))


def _transports(
    services: Services,
    door: Entrance,
    engine: Engine,
    registry: CollectorRegistry,
    tracer: Tracer | None,
    now_ms: Callable[[], int],
) -> tuple[Front, WebSockets, AsgiAdapter]:
    settings = services.settings
    measures = Measures(registry)
    front = _front(services, door, engine, registry, measures, tracer, now_ms)
    sockets = web_sockets(services, door, front, registry, measures, now_ms, tracer)
    body_bytes_max = max(settings.max_messages_post_size, settings.max_queue_metadata)
    return front, sockets, AsgiAdapter(front, body_bytes_max=body_bytes_max, sockets=sockets.adapter)


def _front(
    services: Services,
    door: Entrance,
    engine: Engine,
    registry: CollectorRegistry,
    measures: Measures,
    tracer: Tracer | None,
    now_ms: Callable[[], int],
) -> Front:
    settings = services.settings
    ProcessCollector(registry=registry)
    SearchMeasures(registry, services.indexing)
    projects = CollectorRegistry()
    projects.register(QuotaMeasures(services.quotas))
    stalled = Gauge("sukkal_store_stalled_seconds", "How long writes have waited for a commit.", registry=registry)
    stalled.set_function(lambda: engine.stalled_ms(now_ms()) / 1_000)

    async def healthz(request: Request) -> Response:
        stalled_s = engine.stalled_ms(now_ms()) / 1_000
        healthy = stalled_s < settings.stalled_after_s
        return json_response(
            200 if healthy else 503, {"status": "ok" if healthy else "stalled", "stalled_seconds": stalled_s}
        )

    async def metrics(request: Request) -> Response:
        # Tenants are named only to those who may see the limits of all of them.
        named = await door.gate.would_permit(credentials_of(request, frozenset()), "limits:get_all")
        return metrics_page(registry, *([projects] if named else []))

    pages: dict[str, Page] = {
        "/healthz": healthz,
        "/openapi.json": openapi_page(settings),
        "/asyncapi.json": asyncapi_page(settings),
    }
    if settings.metrics:
        pages["/metrics"] = metrics
    if settings.console:
        pages |= console_pages(console_files())
    new_request_id = CountedIds(Random())
    return Front(
        services,
        door.gate,
        measures,
        door.audit,
        pages=pages,
        new_request_id=new_request_id,
        elapsed_s=elapsed_s,
        tracer=tracer,
    )


Step = Callable[[], Awaitable[None]]


def _works(app: App, engine: PooledEngine, sweep_s: int, now_ms: Callable[[], int]) -> Iterator[tuple[str, Step, Step]]:
    """Yield what goes on beside the requests: its name, the pause before each step, and the step."""

    async def sweep() -> None:
        engine.stalled_ms(now_ms())  # Stalling is told by comparing two looks.
        if removed := await app.sweeper.sweep():
            _log.debug("swept", extra={"rows": removed})

    async def look_at_pools() -> None:
        await engine.refresh()
        await engine.tidy(limit=limits.SWEEP_ROWS_MAX)

    async def move_queues() -> None:
        await app.drains.round()

    async def look() -> None:
        app.reloading.look()

    async def until_due() -> None:
        # What waits for its time is found by looking; what has just come is told.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DELIVERIES_LOOK_S):
                await app.deliveries.due.wait()

    async def until_one_ends(trusts: TrustedOrders) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TRUSTS_LOOK_S):
                await trusts.due.wait()

    async def look_again() -> None:
        app.neighbours.look_again()

    if engine.shared is not None:
        yield "looking for what other nodes did", partial(asyncio.sleep, _LOOK_AGAIN_S), look_again
        yield "looking for limits that were set", partial(asyncio.sleep, _LIMITS_LOOK_S), app.services.limits.load
    if engine.shared is not None and app.clock is not None:
        yield "looking at the clock", partial(asyncio.sleep, _CLOCK_LOOK_S), partial(app.clock.steer, engine.shared)
    if app.trusts is not None:
        yield "ending trusts", partial(until_one_ends, app.trusts), app.trusts.end_due
    yield "sweeping", partial(asyncio.sleep, sweep_s), sweep
    yield "looking at pools", partial(asyncio.sleep, _POOLS_LOOK_S), look_at_pools
    yield "moving queues", partial(asyncio.sleep, _LOOK_S), move_queues
    yield "looking for changed files", partial(asyncio.sleep, _LOOK_S), look
    yield "looking for deliveries", until_due, app.deliveries.round


async def _keep_doing(name: str, pause: Step, step: Step, failures: Counter[str]) -> None:
    while True:
        await pause()
        try:
            await step()
        except SukkalError as error:
            failures[name] += 1
            _log.warning("%s failed: %s", name, error)
            await asyncio.sleep(_AFTER_FAILURE_S)
        except Exception:  # noqa: BLE001 - a defect must not end this work until the next start
            failures[name] += 1
            _log.exception("%s failed", name)
            await asyncio.sleep(_AFTER_FAILURE_S)

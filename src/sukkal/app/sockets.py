"""Making the WebSocket transport."""

from collections.abc import Callable
from random import Random

import msgspec
from prometheus_client import CollectorRegistry, Gauge

from sukkal.app.access import Entrance
from sukkal.clock import elapsed_s
from sukkal.ids import CountedIds
from sukkal.tracing import Tracer
from sukkal.transports.http.measures import Measures
from sukkal.transports.services import Services
from sukkal.transports.websocket.adapter import WebSocketAdapter
from sukkal.transports.websocket.answering import Answering
from sukkal.transports.websocket.connection import Connections
from sukkal.transports.websocket.events import Front
from sukkal.transports.websocket.senders import Senders

__all__ = ["WebSockets", "web_sockets"]


class WebSockets(msgspec.Struct, frozen=True):
    """The transport, who is connected, and how large a frame may be."""

    adapter: WebSocketAdapter
    connections: Connections
    frame_bytes_max: int


def web_sockets(
    services: Services,
    door: Entrance,
    front: Front,
    registry: CollectorRegistry,
    measures: Measures,
    now_ms: Callable[[], int],
    tracer: Tracer | None,
) -> WebSockets:
    """Return the transport of these services."""
    settings = services.settings
    connections = Connections(settings.max_websocket_connections)
    open_now = Gauge("sukkal_websocket_connections", "WebSocket connections.", registry=registry)
    open_now.set_function(lambda: len(connections))
    senders = Senders(door.gate, services.audience, uuid_only=settings.client_id_uuid_safe == "strict")
    answering = Answering(
        services,
        door.gate,
        senders,
        measures,
        door.audit,
        new_request_id=CountedIds(Random()),
        elapsed_s=elapsed_s,
        tracer=tracer,
    )
    adapter = WebSocketAdapter(answering, senders, connections, front, settings, now_ms)
    return WebSockets(adapter, connections, answering.frame_bytes_max)

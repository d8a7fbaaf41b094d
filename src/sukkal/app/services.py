"""Making the services that transports hand requests on to."""

from collections.abc import Callable

from sukkal.app.access import Entrance
from sukkal.app.engines import pools_service
from sukkal.app.presence import Presence
from sukkal.app.push import Push
from sukkal.app.upkeep import Upkeep
from sukkal.pools import PooledEngine
from sukkal.service.audience import Audience
from sukkal.service.background import Background
from sukkal.service.calls import Calls
from sukkal.service.claims import Claims
from sukkal.service.clear_store import ClearStore
from sukkal.service.event_listeners import EventListeners
from sukkal.service.events import Events
from sukkal.service.explanations import Explanations
from sukkal.service.flavors import Flavors
from sukkal.service.health import Health
from sukkal.service.idle import IdleQueues
from sukkal.service.incoming import Incoming
from sukkal.service.lenses import Lenses
from sukkal.service.messages import Messages
from sukkal.service.queues import Queues
from sukkal.service.quotas import Quotas
from sukkal.service.repeats import Repeats
from sukkal.settings import Settings
from sukkal.tracing import Tracer
from sukkal.transports.services import Services

__all__ = ["services_of"]


def services_of(
    settings: Settings,
    engine: PooledEngine,
    present: Presence,
    door: Entrance,
    pushing: Push,
    keeping: Upkeep,
    *,
    lenses: Lenses,
    quotas: Quotas,
    background: Background,
    tracer: Tracer | None,
    now_ms: Callable[[], int],
    new_id: Callable[[], str],
) -> Services:
    """Return the services, noun by noun."""
    store, waiting, listeners, idle = present.store, present.waiting, present.listeners, keeping.idle
    incoming = Incoming(
        store,
        settings,
        quotas,
        door.encryption,
        pushing.fan_out,
        pushing.posting,
        listeners,
        lenses.recogniser,
        Repeats(engine, settings, now_ms),
        present.replies,
        present.neighbours,
        tracer,
        now_ms,
        new_id,
    )
    messages = Messages(store, settings, waiting, incoming, lenses, now_ms, new_id)
    flavors = Flavors(engine, now_ms)
    queues = _queues(settings, store, door, pushing, quotas, idle, flavors, now_ms)
    return Services(
        queues,
        messages,
        Events(messages, settings, now_ms),
        Claims(store, settings, waiting, keeping.burials, background, now_ms, new_id),
        Calls(store, settings, messages, present.replies, background, now_ms, new_id),
        Health(engine, now_ms, new_id),
        door.signed_urls,
        pushing.subscriptions,
        EventListeners(pushing.subscriptions, now_ms),
        Explanations(store, settings, lenses, pushing.fan_out, now_ms),
        pushing.redrives,
        listeners,
        Audience(settings.max_listeners_per_project),
        door.limits,
        quotas,
        pushing.search.search,
        pushing.search.saved,
        pushing.search.indexing,
        pools_service(settings, engine, now_ms, new_id),
        flavors,
        settings,
    )


def _queues(
    settings: Settings,
    store: ClearStore,
    door: Entrance,
    pushing: Push,
    quotas: Quotas,
    idle: IdleQueues,
    flavors: Flavors,
    now_ms: Callable[[], int],
) -> Queues:
    search = pushing.search
    return Queues(
        store,
        settings,
        quotas,
        door.encryption,
        pushing.subscriptions,
        search.indexing,
        idle,
        search.removal,
        flavors,
        now_ms,
    )

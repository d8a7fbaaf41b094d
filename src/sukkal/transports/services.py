"""What transports hand requests on to: the service, noun by noun."""

import msgspec

from sukkal.service.audience import Audience
from sukkal.service.calls import Calls
from sukkal.service.claims import Claims
from sukkal.service.event_listeners import EventListeners
from sukkal.service.events import Events
from sukkal.service.explanations import Explanations
from sukkal.service.flavors import Flavors
from sukkal.service.health import Health
from sukkal.service.indexing import Indexing
from sukkal.service.listening import Listeners
from sukkal.service.messages import Messages
from sukkal.service.pools import Pools
from sukkal.service.project_limits import LimitsTable
from sukkal.service.queues import Queues
from sukkal.service.quotas import Quotas
from sukkal.service.redrives import Redrives
from sukkal.service.saved_searches import SavedSearches
from sukkal.service.searching import Search
from sukkal.service.signed_urls import SignedUrls
from sukkal.service.subscriptions import Subscriptions
from sukkal.settings import Settings

__all__ = ["Services"]


class Services(msgspec.Struct, frozen=True):
    """The service, noun by noun."""

    queues: Queues
    messages: Messages
    events: Events
    claims: Claims
    calls: Calls
    health: Health
    signed_urls: SignedUrls
    subscriptions: Subscriptions
    event_listeners: EventListeners
    explanations: Explanations
    redrives: Redrives
    listeners: Listeners
    audience: Audience
    limits: LimitsTable
    quotas: Quotas
    search: Search
    searches: SavedSearches
    indexing: Indexing
    pools: Pools
    flavors: Flavors
    settings: Settings

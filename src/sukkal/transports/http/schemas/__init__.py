"""What each operation takes and gives, for the OpenAPI document."""

from sukkal.settings import Settings
from sukkal.transports.http.schemas.access import limit_shapes, signed_url_shapes
from sukkal.transports.http.schemas.claims import claim_shapes
from sukkal.transports.http.schemas.components import components
from sukkal.transports.http.schemas.event_listeners import event_listener_shapes
from sukkal.transports.http.schemas.messages import message_shapes
from sukkal.transports.http.schemas.paths import PATH_PARAMETERS
from sukkal.transports.http.schemas.pools import pool_shapes
from sukkal.transports.http.schemas.queues import queue_shapes, root_shapes
from sukkal.transports.http.schemas.searching import search_shapes
from sukkal.transports.http.schemas.shape import Shape, ref
from sukkal.transports.http.schemas.subscriptions import subscription_shapes

__all__ = ["PATH_PARAMETERS", "Shape", "components", "parameter_names", "ref", "shapes"]


def shapes(settings: Settings) -> dict[str, Shape]:
    """Return the shape of each operation by its name."""
    return {
        **root_shapes(),
        **queue_shapes(settings),
        **message_shapes(settings),
        **claim_shapes(settings),
        **subscription_shapes(settings),
        **event_listener_shapes(settings),
        **search_shapes(),
        **signed_url_shapes(),
        **limit_shapes(),
        **pool_shapes(),
    }


def parameter_names(settings: Settings) -> dict[str, frozenset[str]]:
    """Return the names of each operation's own query parameters."""
    return {name: frozenset(each["name"] for each in shape.query) for name, shape in shapes(settings).items()}

"""How listeners are shown, over HTTP and over WebSocket."""

from typing import Any, Final

import msgspec

from sukkal.service.event_listeners import EventListener
from sukkal.service.lenses import FILTERS, FORMAT
from sukkal.service.listener_terms import LISTENER
from sukkal.service.subscription_lists import id_of
from sukkal.service.subscriptions import shown_options

__all__ = ["MEMBERS", "listener_view"]

MEMBERS: Final = (
    *("workflow", "execution", "task", "resource", "events", "workbook", "heartbeat"),
    *("url", "method", "headers", "queue", "ttl", "format", "options"),
)
"""What a listener is ordered by."""


def listener_view(listener: EventListener) -> dict[str, Any]:
    """Return a listener as it is shown: as it was ordered, with its id and its age."""
    subscription = listener.subscription
    options = shown_options(subscription)
    del options[LISTENER], options[FILTERS]
    shown: dict[str, Any] = {"id": id_of(subscription), **msgspec.to_builtins(listener.terms), "url": listener.url}
    for name, option in (("method", "method"), ("headers", "post_headers")):
        if option in options:
            shown[name] = options.pop(option)
    shown["format"] = options.pop(FORMAT, None)
    return shown | {
        subscription.queue.kind: subscription.queue.name,
        "ttl": subscription.ttl_s,
        "age": listener.age_s,
        "options": options,
    }

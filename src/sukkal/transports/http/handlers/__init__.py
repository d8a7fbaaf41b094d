"""The functions that answer requests: decode, one call of the service, encode."""

from typing import Final

from sukkal.transports.http.call import Handler
from sukkal.transports.http.handlers import (
    claims,
    messages,
    project_limits,
    queues,
    root,
    signed_urls,
    stream,
    subscriptions,
)

__all__ = ["HANDLERS"]

HANDLERS: Final[dict[str, Handler]] = {
    "home.get": root.home,
    "ping.get": root.ping,
    "ping.head": root.ping,
    "health.get": root.health,
    "queues.list": queues.list_queues,
    "queues.create": queues.create,
    "queues.get": queues.get,
    "queues.update": queues.update,
    "queues.delete": queues.delete,
    "queues.stats": queues.stats,
    "queues.purge": queues.purge,
    "messages.post": messages.post,
    "messages.post_raw": messages.post_raw,
    "messages.list": messages.list_messages,
    "messages.stream": stream.stream,
    "messages.get": messages.get,
    "messages.delete_many": messages.delete_many,
    "messages.delete": messages.delete,
    "claims.create": claims.create,
    "claims.list": claims.list_claims,
    "claims.get": claims.get,
    "claims.update": claims.update,
    "claims.delete": claims.delete,
    "claims.release": claims.release,
    "signed_urls.create": signed_urls.create,
    "signed_urls.list": signed_urls.list_signed_urls,
    "signed_urls.delete": signed_urls.delete,
    "subscriptions.create": subscriptions.create,
    "subscriptions.list": subscriptions.list_subscriptions,
    "subscriptions.get": subscriptions.get,
    "subscriptions.update": subscriptions.change,
    "subscriptions.delete": subscriptions.delete,
    "subscriptions.confirm": subscriptions.confirm,
    "deliveries.list": subscriptions.deliveries,
    "deliveries.redrive": subscriptions.redrive,
    "deliveries.test": subscriptions.test,
    "usage.get": project_limits.usage,
    "limits.list": project_limits.list_limits,
    "limits.get": project_limits.get,
    "limits.update": project_limits.update,
    "limits.delete": project_limits.delete,
}
"""The handler of each operation by its name."""

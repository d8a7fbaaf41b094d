"""The functions that answer requests: decode, one call of the service, encode."""

from typing import Final

from sukkal.transports.http.call import Handler
from sukkal.transports.http.handlers import claims, messages, queues, root

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
    "messages.list": messages.list_messages,
    "messages.get": messages.get,
    "messages.delete_many": messages.delete_many,
    "messages.delete": messages.delete,
    "claims.create": claims.create,
    "claims.list": claims.list_claims,
    "claims.get": claims.get,
    "claims.update": claims.update,
    "claims.delete": claims.delete,
    "claims.release": claims.release,
}
"""The handler of each operation by its name."""

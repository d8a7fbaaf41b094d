"""The functions that answer frames: read the members of a body, one call of the service, show what came of it."""

from typing import Final

from sukkal.transports.websocket.call import Handler
from sukkal.transports.websocket.handlers import claims, messages, queues, root, signed_urls, subscriptions

__all__ = ["HANDLERS"]

HANDLERS: Final[dict[str, Handler]] = {
    "get_home_doc": root.home,
    "ping_node": root.ping,
    "check_node_health": root.health,
    "queue_list": queues.list_queues,
    "queue_create": queues.create,
    "queue_get": queues.get,
    "queue_update": queues.update,
    "queue_delete": queues.delete,
    "queue_get_stats": queues.stats,
    "queue_purge": queues.purge,
    "message_post": messages.post,
    "event_post": messages.post_events,
    "message_list": messages.list_messages,
    "message_get": messages.get,
    "message_get_many": messages.get_many,
    "message_delete": messages.delete,
    "message_delete_many": messages.delete_many,
    "claim_create": claims.create,
    "claim_list": claims.list_claims,
    "claim_get": claims.get,
    "claim_update": claims.update,
    "claim_delete": claims.delete,
    "claim_release": claims.release,
    "signed_url_create": signed_urls.create,
    "signed_url_list": signed_urls.list_signed_urls,
    "signed_url_delete": signed_urls.delete,
    "subscription_create": subscriptions.create,
    "subscription_list": subscriptions.list_subscriptions,
    "subscription_explain": subscriptions.explain,
    "subscription_get": subscriptions.get,
    "subscription_update": subscriptions.change,
    "subscription_delete": subscriptions.delete,
    "subscription_confirm": subscriptions.confirm,
    "delivery_list": subscriptions.deliveries,
    "delivery_redrive": subscriptions.redrive,
    "delivery_test": subscriptions.test,
    "usage_get": root.usage,
    "limits_list": root.list_limits,
    "limits_get": root.get_limits,
    "limits_update": root.update_limits,
    "limits_delete": root.delete_limits,
}
"""The handler of each action. What is not in it is not a valid action; an operation of the table names its own."""

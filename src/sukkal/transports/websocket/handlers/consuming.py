"""Claims that come by themselves: messages are pushed to a connection, claimed for it."""

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.model import Message
from sukkal.notification import notification
from sukkal.service.consuming import Consumer
from sukkal.transports.http.views import message_views
from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.frames import Reply, encode_text
from sukkal.transports.websocket.handlers.rechecking import until_expired

__all__ = ["create"]


async def create(call: Call, prefetch: int) -> Reply:
    """Let the connection be a consumer of a queue; the same again changes the numbers."""
    key, connection, claims = call.key, call.connection, call.services.claims
    ttl_s, grace_s = claims.check(ttl_s=call.number("ttl"), grace_s=call.number("grace"))
    if not 0 <= prefetch <= limits.WEBSOCKET_PREFETCH_MAX:
        raise InvalidRequest(f"prefetch must be 0 to {limits.WEBSOCKET_PREFETCH_MAX} messages; 0 takes no more.")
    consumer = connection.consumers.get(key)
    if consumer is not None:
        consumer.change(prefetch=prefetch, ttl_s=ttl_s, grace_s=grace_s)
        return Reply(200, {"prefetch": prefetch})
    if len(connection.consumers) >= limits.WEBSOCKET_SUBSCRIPTIONS_MAX:
        raise InvalidRequest(
            f"A connection may consume from {limits.WEBSOCKET_SUBSCRIPTIONS_MAX} queues. Open another one for more."
        )
    binary = connection.binary

    async def hand(message: Message) -> None:
        # One after the other, so that a slow reader has no more waiting than one message.
        await connection.drained()
        connection.push(encode_text(_text(key.name, message), binary=binary))

    consumer = connection.consumers[key] = Consumer(claims, key, hand, client=call.caller.client)
    consumer.change(prefetch=prefetch, ttl_s=ttl_s, grace_s=grace_s)

    async def consume() -> None:
        await consumer.consume()
        connection.consumers.pop(key, None)

    def begin() -> None:
        if connection.closed.is_set():
            return
        connection.start(consume())
        connection.start(until_expired(call, lambda: connection.consumers.get(key) is not consumer))

    return Reply(201, {"prefetch": prefetch}, then=begin)


def _text(queue_name: str, message: Message) -> bytes:
    (view,) = message_views((message,), "", 0, checksum=False, detailed=True)
    more = {"message_id": message.id, "claim_id": message.claim_id or ""}
    for name in ("reply_to", "correlation_id", "traceparent", "tracestate"):
        if isinstance(value := getattr(view, name), str):
            more[name] = value
    return notification(queue_name, message.body, ttl_s=message.ttl_s, more=more)

"""Operations on subscriptions in the words of the CloudEvents Subscriptions API."""

from typing import Any

from sukkal import limits
from sukkal.errors import InvalidParameter, InvalidRequest, SubscriptionNotFound
from sukkal.model import QueueKey
from sukkal.service.subscription_lists import FIRST, Place, id_of, place_of
from sukkal.transports.http.bodies import decode_object, whole_body
from sukkal.transports.http.call import Call, next_link
from sukkal.transports.http.cloud_subscriptions import key_in, order_in, view
from sukkal.transports.http.exchange import Header, Response, json_response
from sukkal.transports.http.query import Query

__all__ = ["create", "delete", "get", "list_subscriptions", "update"]

_PATH = "/v2/subscriptions"


async def create(call: Call) -> Response:
    """Subscribe."""
    document = _document(call)
    key = key_in(document, call.caller.project)
    subscription = await call.services.subscriptions.create(key, order_in(document), call.caller)
    call.made = id_of(subscription)
    return json_response(201, view(subscription), (b"location", f"{_PATH}/{call.made}".encode()))


async def list_subscriptions(call: Call) -> Response:
    """List subscriptions of all queues and topics."""
    query = Query(call.request.query)
    found, after = await call.services.subscriptions.list_all(
        call.caller.project, _begin(query.text("marker")), limit=query.number("limit")
    )
    headers: tuple[Header, ...] = ()
    if after is not None:
        link = next_link(_PATH, {"limit": query.text("limit")}, "~".join(after))
        headers = ((b"link", f'<{link["href"]}>; rel="next"'.encode()),)
    return json_response(200, [view(each) for each in found], *headers)


async def get(call: Call) -> Response:
    """Show a subscription."""
    key, id_ = _named(call)
    subscription, _ = await call.services.subscriptions.get(key, id_)
    return json_response(200, view(subscription))


async def update(call: Call) -> Response:
    """Replace what a subscription says, but not what it belongs to."""
    key, id_ = _named(call)
    document = _document(call)
    if key_in(document, call.caller.project, default=key) != key:
        raise InvalidRequest("config names another queue than the subscription belongs to. Subscribe to that one.")
    await call.services.subscriptions.change(key, id_, order_in(document), call.caller)
    subscription, _ = await call.services.subscriptions.get(key, id_)
    return json_response(200, view(subscription))


async def delete(call: Call) -> Response:
    """End a subscription."""
    key, id_ = _named(call)
    subscription, _ = await call.services.subscriptions.get(key, id_)
    await call.services.subscriptions.delete(key, id_)
    return json_response(200, view(subscription))


def _begin(marker: str | None) -> Place:
    try:
        return place_of(marker) if marker else FIRST
    except SubscriptionNotFound:
        raise InvalidParameter('The "marker" parameter is invalid. It must be taken from the header Link.') from None


def _named(call: Call) -> tuple[QueueKey, str]:
    kind, name, id_ = place_of(call.parameters["subscription_id"])
    return QueueKey(call.caller.project, name, kind), id_


def _document(call: Call) -> dict[str, Any]:
    most = limits.SUBSCRIPTION_BYTES_MAX + limits.SUBSCRIBER_CHARS_MAX
    return decode_object(whole_body(call.request, most=most, refusal=f"A subscription may have {most} bytes."))

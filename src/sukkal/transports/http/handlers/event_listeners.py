"""Operations on event listeners."""

from sukkal import limits
from sukkal.errors import InvalidParameter, SubscriptionNotFound
from sukkal.service.subscription_lists import FIRST, Place, id_of, place_of
from sukkal.transports.http.bodies import decode_object, whole_body
from sukkal.transports.http.call import Call, next_link
from sukkal.transports.http.exchange import Response, json_response, no_content
from sukkal.transports.http.query import Query
from sukkal.transports.listener_views import listener_view

__all__ = ["begin", "create", "delete", "get", "list_listeners"]

_PATH = "/v2/listeners"


async def create(call: Call) -> Response:
    """Listen."""
    most = limits.SUBSCRIPTION_BYTES_MAX + limits.SUBSCRIBER_CHARS_MAX
    document = decode_object(whole_body(call.request, most=most, refusal=f"A listener may have {most} bytes."))
    listener = await call.services.event_listeners.create(call.caller.project, document, call.caller)
    call.made = id_of(listener.subscription)
    return json_response(201, listener_view(listener), (b"location", f"{_PATH}/{call.made}".encode()))


async def list_listeners(call: Call) -> Response:
    """List listeners of all queues and topics."""
    query = Query(call.request.query)
    found, after = await call.services.event_listeners.list(
        call.caller.project, begin(query.text("marker")), limit=query.number("limit")
    )
    links = [] if after is None else [next_link(_PATH, {"limit": query.text("limit")}, "~".join(after))]
    return json_response(200, {"listeners": [listener_view(each) for each in found], "links": links})


async def get(call: Call) -> Response:
    """Show a listener."""
    listener = await call.services.event_listeners.get(call.caller.project, call.parameters["listener_id"])
    return json_response(200, listener_view(listener))


async def delete(call: Call) -> Response:
    """End a listener."""
    await call.services.event_listeners.delete(call.caller.project, call.parameters["listener_id"])
    return no_content()


def begin(marker: str | None) -> Place:
    """Return where a list begins. Raises ``InvalidParameter``."""
    try:
        return place_of(marker) if marker else FIRST
    except SubscriptionNotFound:
        raise InvalidParameter('The "marker" parameter is invalid. It must be taken from a next link.') from None

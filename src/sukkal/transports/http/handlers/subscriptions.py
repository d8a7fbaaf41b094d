"""Operations on subscriptions and their deliveries."""

from sukkal import limits
from sukkal.transports.http.bodies import decode_object, whole_body
from sukkal.transports.http.call import Call, next_link
from sukkal.transports.http.exchange import Header, Response, json_response, no_content
from sukkal.transports.http.query import Query
from sukkal.transports.http.views import subscription_view

__all__ = ["change", "confirm", "create", "delete", "deliveries", "get", "list_subscriptions", "redrive", "test"]


async def create(call: Call) -> Response:
    """Subscribe."""
    subscription = await call.services.subscriptions.create(call.key, decode_object(_body(call)), call.caller)
    call.made = subscription.id
    return json_response(201, {"subscription_id": subscription.id}, _location(call))


async def list_subscriptions(call: Call) -> Response:
    """List subscriptions."""
    query = Query(call.request.query)
    found, now_ms = await call.services.subscriptions.list(
        call.key, marker=query.text("marker") or "", limit=query.number("limit")
    )
    path = f"{call.queue_path}/subscriptions"
    links = [next_link(path, {"limit": query.text("limit")}, found[-1].id)] if found else []
    return json_response(200, {"subscriptions": [subscription_view(each, now_ms) for each in found], "links": links})


async def get(call: Call) -> Response:
    """Show a subscription."""
    subscription, now_ms = await call.services.subscriptions.get(call.key, _id(call))
    return json_response(200, subscription_view(subscription, now_ms))


async def change(call: Call) -> Response:
    """Change a subscription."""
    await call.services.subscriptions.change(call.key, _id(call), decode_object(_body(call)), call.caller)
    return no_content(_location(call))


async def delete(call: Call) -> Response:
    """End a subscription."""
    await call.services.subscriptions.delete(call.key, _id(call))
    return no_content()


async def confirm(call: Call) -> Response:
    """Confirm or refuse a subscription."""
    await call.services.subscriptions.confirm(call.key, _id(call), decode_object(_body(call)))
    return no_content(_location(call))


async def deliveries(call: Call) -> Response:
    """Show the ledger."""
    limit = Query(call.request.query).number("limit")
    return json_response(200, await call.services.redrives.ledger(call.key, _id(call), limit=limit))


async def redrive(call: Call) -> Response:
    """Try again what was given up."""
    document = decode_object(body) if (body := _body(call)) else {}
    count = await call.services.redrives.redrive(call.key, _id(call), document.get("ids"))
    return json_response(200, {"redriven": count})


async def test(call: Call) -> Response:
    """Send a test now."""
    return json_response(200, await call.services.redrives.test(call.key, _id(call)))


def _location(call: Call) -> Header:
    return (b"location", f"{call.queue_path}/subscriptions".encode("ascii"))


def _id(call: Call) -> str:
    return call.parameters["subscription_id"]


def _body(call: Call) -> bytes:
    most = limits.SUBSCRIPTION_BYTES_MAX
    return whole_body(call.request, most=most, refusal=f"The body is too large. Max size: {most}")

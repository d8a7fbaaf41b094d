"""Actions on subscriptions and their deliveries."""

from sukkal.transports.explaining import explained
from sukkal.transports.http.views import subscription_view
from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.frames import Reply
from sukkal.transports.websocket.handlers import listening

__all__ = [
    "change",
    "confirm",
    "create",
    "delete",
    "deliveries",
    "explain",
    "get",
    "list_subscriptions",
    "redrive",
    "test",
]

_MEMBERS = ("subscriber", "ttl", "options")


async def create(call: Call) -> Reply:
    """Subscribe a URI, or without one the connection itself."""
    key = call.key
    if "subscriber" not in call.frame.members:
        return await listening.create(call)
    subscription = await call.services.subscriptions.create(key, call.given(*_MEMBERS), call.caller)
    call.made = subscription.id
    return Reply(201, {"subscription_id": subscription.id, "message": f"Subscription {key.name} created."})


async def list_subscriptions(call: Call) -> Reply:
    """List subscriptions; that of the connection itself comes first."""
    marker = call.text("marker")
    found, now_ms = await call.services.subscriptions.list(call.key, marker=marker or "", limit=call.number("limit"))
    views = [subscription_view(each, now_ms) for each in found]
    if not marker and (own := call.connection.own.get(call.key)) is not None:
        views.insert(0, listening.view(call, own))
    return Reply(200, {"subscriptions": views})


async def explain(call: Call) -> Reply:
    """Explain what subscriptions get, or try filters."""
    asked = call.given("message_id", "filters")
    if "body" in call.frame.members:
        asked["body"] = call.frame.members["body"]
    answer = await explained(
        call.services.explanations,
        call.key,
        asked,
        dry_run=call.number("dry_run"),
        marker=call.text("marker"),
        limit=call.number("limit"),
    )
    return Reply(200, answer)


async def get(call: Call) -> Reply:
    """Show a subscription."""
    if (own := listening.own(call, _id(call))) is not None:
        return Reply(200, listening.view(call, own))
    subscription, now_ms = await call.services.subscriptions.get(call.key, _id(call))
    return Reply(200, subscription_view(subscription, now_ms))


async def change(call: Call) -> Reply:
    """Change a subscription."""
    await call.services.subscriptions.change(call.key, _id(call), call.given(*_MEMBERS), call.caller)
    return Reply(204, {})


async def delete(call: Call) -> Reply:
    """End a subscription."""
    id_ = _id(call)
    if (own := listening.own(call, id_)) is not None:
        listening.leave(call, own)
        return Reply(204, f"Subscription {id_} removed.")
    await call.services.subscriptions.delete(call.key, id_)
    return Reply(204, f"Subscription {id_} removed.")


async def confirm(call: Call) -> Reply:
    """Confirm or refuse a subscription."""
    await call.services.subscriptions.confirm(call.key, _id(call), call.given("confirmed"))
    return Reply(204, {})


async def deliveries(call: Call) -> Reply:
    """Show the ledger."""
    return Reply(200, await call.services.redrives.ledger(call.key, _id(call), limit=call.number("limit")))


async def redrive(call: Call) -> Reply:
    """Try again what was given up."""
    count = await call.services.redrives.redrive(call.key, _id(call), call.document("ids"))
    return Reply(200, {"redriven": count})


async def test(call: Call) -> Reply:
    """Send a test now."""
    return Reply(200, await call.services.redrives.test(call.key, _id(call)))


def _id(call: Call) -> str:
    return call.required("subscription_id")

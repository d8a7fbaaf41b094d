"""Actions on event listeners."""

from sukkal.service.subscription_lists import id_of
from sukkal.transports.http.handlers.event_listeners import begin
from sukkal.transports.listener_views import MEMBERS, listener_view
from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.frames import Reply

__all__ = ["create", "delete", "get", "list_listeners"]


async def create(call: Call) -> Reply:
    """Listen."""
    listener = await call.services.event_listeners.create(call.caller.project, call.given(*MEMBERS), call.caller)
    call.made = id_of(listener.subscription)
    return Reply(201, listener_view(listener))


async def list_listeners(call: Call) -> Reply:
    """List listeners of all queues and topics; ``marker`` is where the list goes on, if it does."""
    found, after = await call.services.event_listeners.list(
        call.caller.project, begin(call.text("marker")), limit=call.number("limit")
    )
    more = {} if after is None else {"marker": "~".join(after)}
    return Reply(200, {"listeners": [listener_view(each) for each in found], **more})


async def get(call: Call) -> Reply:
    """Show a listener."""
    listener = await call.services.event_listeners.get(call.caller.project, call.required("listener_id"))
    return Reply(200, listener_view(listener))


async def delete(call: Call) -> Reply:
    """End a listener."""
    await call.services.event_listeners.delete(call.caller.project, call.required("listener_id"))
    return Reply(204, {})

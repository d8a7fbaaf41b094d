"""Actions on signed URLs."""

from sukkal.service.signatures import signature_id
from sukkal.transports.http.handlers.signed_urls import signature_view
from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.frames import Reply

__all__ = ["create", "delete", "list_signed_urls"]

_MEMBERS = ("paths", "methods", "expires")


async def create(call: Call) -> Reply:
    """Sign a URL."""
    key = call.key
    signature = await call.services.signed_urls.create(key, call.caller.identity, call.given(*_MEMBERS))
    call.made = signature_id(signature.text)
    return Reply(200, signature_view(key, signature))


async def list_signed_urls(call: Call) -> Reply:
    """List the queue's signed URLs."""
    found = await call.services.signed_urls.list(call.key, marker=call.text("marker") or "", limit=call.number("limit"))
    items = [{"id": each.id, "paths": each.paths, "methods": each.methods, "expires": each.expires} for each in found]
    return Reply(200, {"signed_urls": items})


async def delete(call: Call) -> Reply:
    """Revoke a signed URL."""
    await call.services.signed_urls.revoke(call.key, call.required("signed_url_id"))
    return Reply(204, {})

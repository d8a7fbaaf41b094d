"""Actions on claims."""

from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.frames import Reply
from sukkal.transports.websocket.handlers import consuming
from sukkal.transports.websocket.views import claim_view, messages_view

__all__ = ["create", "delete", "get", "list_claims", "release", "update"]


async def create(call: Call) -> Reply:
    """Claim messages."""
    detailed = call.detailed
    if (prefetch := call.number("prefetch")) is not None:
        return await consuming.create(call, prefetch)
    taken = await call.services.claims.create(
        call.key,
        ttl_s=call.number("ttl"),
        grace_s=call.number("grace"),
        limit=call.number("limit"),
        wait_s=call.wait_s(),
        client=call.caller.client,
    )
    if taken is None:
        return Reply(204, {"claim_id": None, "messages": []})
    claim_id, messages, now_ms = taken
    views = messages_view(messages, now_ms, checksum=call.checksum, detailed=detailed)
    call.made = claim_id
    return Reply(201, {"claim_id": claim_id, "messages": views})


async def list_claims(call: Call) -> Reply:
    """List live claims."""
    claims, now_ms = await call.services.claims.list(
        call.key, marker=call.text("marker") or "", limit=call.number("limit")
    )
    return Reply(200, {"claims": [{"id": claim.id, **claim_view(claim, now_ms)} for claim in claims]})


async def get(call: Call) -> Reply:
    """Show a claim."""
    held, now_ms = await call.services.claims.get(call.key, call.required("claim_id"))
    views = messages_view(held.messages, now_ms, checksum=call.checksum, detailed=call.detailed)
    return Reply(200, {**claim_view(held.claim, now_ms), "messages": views})


async def update(call: Call) -> Reply:
    """Begin a claim's time anew."""
    claim_id = call.required("claim_id")
    await call.services.claims.extend(call.key, claim_id, ttl_s=call.number("ttl"), grace_s=call.number("grace"))
    return Reply(204, f"Claim {claim_id} updated.")


async def delete(call: Call) -> Reply:
    """End a claim."""
    claim_id = call.required("claim_id")
    await call.services.claims.release(call.key, claim_id)
    if (consumer := call.connection.consumers.get(call.key)) is not None:
        consumer.ended(claim_id)
    return Reply(204, f"Claim {claim_id} deleted.")


async def release(call: Call) -> Reply:
    """Free one message of a claim."""
    await call.services.claims.release_one(
        call.key, call.required("claim_id"), call.required("message_id"), delay_s=call.number("delay") or 0
    )
    call.settled(call.required("message_id"))
    return Reply(204, {})

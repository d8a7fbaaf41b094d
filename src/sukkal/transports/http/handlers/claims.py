"""Operations on claims."""

from sukkal import limits
from sukkal.errors import InvalidBody
from sukkal.transports.http.bodies import decode_object, optional_int, whole_body
from sukkal.transports.http.call import Call, next_link
from sukkal.transports.http.exchange import Response, json_response, no_content
from sukkal.transports.http.query import Query
from sukkal.transports.http.views import claim_view, message_views

__all__ = ["create", "delete", "get", "list_claims", "release", "update"]


async def create(call: Call) -> Response:
    """Claim messages."""
    query = Query(call.request.query)
    detailed = bool(query.flag("detailed"))
    document = decode_object(body) if (body := _body(call)) else {}
    taken = await call.services.claims.create(
        call.key,
        ttl_s=optional_int(document, "ttl"),
        grace_s=optional_int(document, "grace"),
        limit=query.number("limit"),
        wait_s=call.wait_s(query),
        client=call.caller.client,
    )
    if taken is None:
        return no_content()
    claim_id, messages, now_ms = taken
    checksum = call.services.settings.enable_checksum
    views = message_views(messages, call.queue_path, now_ms, checksum=checksum, detailed=detailed)
    location = (b"location", f"{call.queue_path}/claims/{claim_id}".encode("ascii"))
    return json_response(201, {"messages": views}, location)


async def list_claims(call: Call) -> Response:
    """List live claims."""
    query = Query(call.request.query)
    claims, now_ms = await call.services.claims.list(
        call.key, marker=query.text("marker") or "", limit=query.number("limit")
    )
    items = [{"id": claim.id, **claim_view(claim, call.queue_path, now_ms)} for claim in claims]
    path = f"{call.queue_path}/claims"
    links = [next_link(path, {"limit": query.text("limit")}, claims[-1].id)] if claims else []
    return json_response(200, {"claims": items, "links": links})


async def get(call: Call) -> Response:
    """Show a claim."""
    detailed = bool(Query(call.request.query).flag("detailed"))
    held, now_ms = await call.services.claims.get(call.key, call.parameters["claim_id"])
    checksum = call.services.settings.enable_checksum
    views = message_views(held.messages, call.queue_path, now_ms, checksum=checksum, detailed=detailed)
    return json_response(200, {**claim_view(held.claim, call.queue_path, now_ms), "messages": views})


async def update(call: Call) -> Response:
    """Begin a claim's time anew."""
    body = _body(call)
    if not body:
        raise InvalidBody("Request body could not be parsed. It must be an object with ttl, grace or neither.")
    document = decode_object(body)
    await call.services.claims.extend(
        call.key,
        call.parameters["claim_id"],
        ttl_s=optional_int(document, "ttl"),
        grace_s=optional_int(document, "grace"),
    )
    return no_content()


async def delete(call: Call) -> Response:
    """End a claim."""
    await call.services.claims.release(call.key, call.parameters["claim_id"])
    return no_content()


async def release(call: Call) -> Response:
    """Free one message of a claim."""
    document = decode_object(body) if (body := _body(call)) else {}
    await call.services.claims.release_one(
        call.key,
        call.parameters["claim_id"],
        call.parameters["message_id"],
        delay_s=optional_int(document, "delay") or 0,
    )
    return no_content()


def _body(call: Call) -> bytes:
    most = limits.SMALL_BODY_BYTES_MAX
    return whole_body(call.request, most=most, refusal=f"The body is too large. Max size: {most}")

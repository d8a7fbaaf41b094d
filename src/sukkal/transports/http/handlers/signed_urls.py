"""Operations on signed URLs."""

from urllib.parse import urlencode

from sukkal import limits
from sukkal.model import QueueKey
from sukkal.service.operations import path_of
from sukkal.service.signatures import Signature, signature_id
from sukkal.transports.http.bodies import decode_object, whole_body
from sukkal.transports.http.call import Call, next_link
from sukkal.transports.http.exchange import Response, json_response, no_content
from sukkal.transports.http.query import Query
from sukkal.transports.http.senders import signed_query

__all__ = ["create", "delete", "list_signed_urls", "signature_view"]


async def create(call: Call) -> Response:
    """Sign a URL."""
    most = limits.SMALL_BODY_BYTES_MAX
    body = whole_body(call.request, most=most, refusal=f"The body is too large. Max size: {most}")
    document = decode_object(body) if body else {}
    signature = await call.services.signed_urls.create(call.key, call.caller.identity, document)
    call.made = signature_id(signature.text)
    return json_response(200, signature_view(call.key, signature))


def signature_view(key: QueueKey, signature: Signature) -> dict[str, object]:
    """Return a new signed URL: its parts, and ready to use."""
    query = urlencode(signed_query(signature))
    document: dict[str, object] = {
        "paths": signature.paths,
        "methods": signature.methods,
        "project": signature.project,
        "expires": signature.expires,
        "signature": signature.text,
        "id": signature_id(signature.text),
        "query": query,
    }
    messages = path_of(key, "messages")
    if messages in signature.paths and "POST" in signature.methods:
        document["post_url"] = f"{messages}/raw?{query}"
    return document


async def list_signed_urls(call: Call) -> Response:
    """List the queue's signed URLs."""
    query = Query(call.request.query)
    found = await call.services.signed_urls.list(
        call.key, marker=query.text("marker") or "", limit=query.number("limit")
    )
    path = f"{call.queue_path}/share"
    items = [
        {
            "id": each.id,
            "href": f"{path}/{each.id}",
            "paths": each.paths,
            "methods": each.methods,
            "expires": each.expires,
        }
        for each in found
    ]
    links = [next_link(path, {"limit": query.text("limit")}, found[-1].id)] if found else []
    return json_response(200, {"signed_urls": items, "links": links})


async def delete(call: Call) -> Response:
    """Revoke a signed URL."""
    await call.services.signed_urls.revoke(call.key, call.parameters["signed_url_id"])
    return no_content()

"""Operations on queues, and on topics, which are the same under another name."""

from typing import Final

from sukkal.errors import InvalidBody, InvalidRequest, UnsupportedMediaType
from sukkal.service.queues import QueueFilter
from sukkal.transports.http.bodies import decode_json, decode_object, whole_body
from sukkal.transports.http.call import Call, next_link
from sukkal.transports.http.exchange import JSON, Response, json_response, no_content
from sukkal.transports.http.query import Query
from sukkal.transports.http.views import stats_view

__all__ = ["create", "delete", "get", "list_queues", "purge", "stats", "update"]

_PATCH_TYPE: Final = "application/openstack-messaging-v2.0-json-patch"
_OWN_PARAMETERS: Final = ("marker", "limit", "detailed", "name", "with_count")


async def list_queues(call: Call) -> Response:
    """List queues by name."""
    query = Query(call.request.query)
    detailed, with_count = query.flag("detailed"), query.flag("with_count")
    shown = QueueFilter()
    if call.modern:
        own = {name: value for name, value in query if name not in _OWN_PARAMETERS}
        shown = QueueFilter(name=query.text("name") or "", metadata=own)
    page = await call.services.queues.list(
        call.caller.project,
        call.kind,
        marker=query.text("marker") or "",
        limit=query.number("limit"),
        shown=shown,
        total=bool(call.modern and with_count),
    )
    items = []
    for queue in page.queues:
        item: dict[str, object] = {"name": queue.key.name}
        if detailed:
            item["metadata"] = call.services.queues.shown(queue) if call.modern else queue.metadata
        items.append(item | {"href": f"{call.collection_path}/{queue.key.name}"})
    given = {
        "limit": query.text("limit"),
        "detailed": _word(detailed),
        **({"name": query.text("name"), "with_count": _word(with_count), **shown.metadata} if call.modern else {}),
    }
    links = [] if page.marker is None else [next_link(call.collection_path, given, page.marker)]
    document: dict[str, object] = {"queues" if call.kind == "queue" else "topics": items, "links": links}
    if page.total is not None:
        document["count"] = page.total
    return json_response(200, document)


async def create(call: Call) -> Response:
    """Create a queue."""
    metadata = decode_object(body) if (body := _metadata_body(call)) else {}
    created = await call.services.queues.create(call.key, metadata)
    location = (b"location", call.queue_path.encode("ascii"))
    return Response(201, b"", (location, JSON)) if created else no_content(location)


async def get(call: Call) -> Response:
    """Show a queue's metadata."""
    queues = call.services.queues
    return json_response(200, await (queues.get(call.key) if call.modern else queues.stored(call.key)))


async def update(call: Call) -> Response:
    """Change a queue's metadata."""
    if call.request.header(b"content-type") != _PATCH_TYPE:
        raise UnsupportedMediaType(f"Accepted media type for PATCH: {{'Accept-Patch': '{_PATCH_TYPE}'}}.")
    changes = decode_json(_metadata_body(call))
    if not isinstance(changes, list):
        raise InvalidBody("The body must be an array of changes, each with op, path and value.")
    return json_response(200, await call.services.queues.change(call.key, changes))


async def delete(call: Call) -> Response:
    """Delete a queue."""
    await call.services.queues.delete(call.key)
    return no_content()


async def stats(call: Call) -> Response:
    """Count a queue's messages."""
    counts, now_ms = await call.services.queues.stats(call.key)
    return json_response(200, stats_view(counts, call.queue_path, now_ms))


async def purge(call: Call) -> Response:
    """Empty a queue."""
    resources: object = ["messages", "subscriptions"]
    if body := _metadata_body(call):
        document = decode_object(body)
        if "resource_types" not in document:
            raise InvalidRequest('Post body must contain key "resource_types".')
        resources = document["resource_types"]
    await call.services.queues.purge(call.key, resources)
    return no_content()


def _metadata_body(call: Call) -> bytes:
    most = call.services.settings.max_queue_metadata
    return whole_body(call.request, most=most, refusal=f"Queue metadata is too large. Max size: {most}")


def _word(flag: bool | None) -> str | None:
    return None if flag is None else str(flag).lower()

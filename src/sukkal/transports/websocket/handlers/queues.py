"""Actions on queues."""

from sukkal.errors import InvalidBody
from sukkal.service.queues import QueueFilter
from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.frames import Reply
from sukkal.transports.websocket.views import counts_view

__all__ = ["create", "delete", "get", "list_queues", "purge", "stats", "update"]


async def list_queues(call: Call) -> Reply:
    """List queues by name."""
    detailed = call.detailed
    page = await call.services.queues.list(
        call.caller.project,
        "queue",
        marker=call.text("marker") or "",
        limit=call.number("limit"),
        shown=QueueFilter(),
        total=False,
    )
    items = [{"name": each.key.name, **({"metadata": each.metadata} if detailed else {})} for each in page.queues]
    return Reply(200, {"queues": items})


async def create(call: Call) -> Reply:
    """Create a queue."""
    key = call.key
    created = await call.services.queues.create(key, call.mapping("metadata"))
    return Reply(201 if created else 204, f"Queue {key.name} created.")


async def get(call: Call) -> Reply:
    """Show a queue's metadata as they were given."""
    return Reply(200, await call.services.queues.stored(call.key))


async def update(call: Call) -> Reply:
    """Change a queue's metadata."""
    changes = call.document("changes")
    if not isinstance(changes, list):
        raise InvalidBody(
            'Schema validation failed. The field "changes" must be an array of changes, each with op, path and value.'
        )
    return Reply(200, await call.services.queues.change(call.key, changes))


async def delete(call: Call) -> Reply:
    """Delete a queue."""
    key = call.key
    await call.services.queues.delete(key)
    return Reply(204, f"Queue {key.name} removed.")


async def stats(call: Call) -> Reply:
    """Count a queue's messages; a queue that does not exist has none, and says so by its status."""
    key = call.key
    counts, now_ms = await call.services.queues.stats(key)
    there = counts.total or await call.services.queues.exists(key)
    return Reply(200 if there else 404, counts_view(counts, now_ms))


async def purge(call: Call) -> Reply:
    """Empty a queue."""
    resources = call.document("resource_types")
    await call.services.queues.purge(call.key, ["messages", "subscriptions"] if resources is None else resources)
    return Reply(204, {})

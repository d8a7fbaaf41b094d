"""Actions on what is searched."""

from sukkal.search import Shelf
from sukkal.service.asking import ASKED, check_members
from sukkal.transports.found import found_view, search_view, type_view
from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.frames import Reply

__all__ = ["create", "delete", "events", "get", "list_searches", "resources", "types"]


async def events(call: Call) -> Reply:
    """Search events."""
    return await _found(call, "events")


async def resources(call: Call) -> Reply:
    """Search resources."""
    return await _found(call, "resources")


async def _found(call: Call, shelf: Shelf) -> Reply:
    check_members(call.frame.members, shelf)
    found = await call.services.search.find(
        shelf,
        call.caller.project,
        {name: call.text(name) for name in ASKED},
        facets=call.words("facets"),
        marker=call.text("marker"),
        limit=call.number("limit"),
        deleted=bool(call.flag("deleted")),
    )
    return Reply(200, {**found_view(shelf, found), "marker": found.marker})


async def types(call: Call) -> Reply:
    """List types of events."""
    found = await call.services.search.types(
        call.caller.project, marker=call.text("marker"), limit=call.number("limit")
    )
    return Reply(200, {"types": [type_view(each) for each in found]})


async def list_searches(call: Call) -> Reply:
    """List saved searches."""
    found = await call.services.searches.list(
        call.caller.project, marker=call.text("marker"), limit=call.number("limit")
    )
    return Reply(200, {"searches": [search_view(each) for each in found]})


async def create(call: Call) -> Reply:
    """Save a search."""
    name = call.required("search_name")
    given = call.frame.members.keys() - {"search_name"}
    new = await call.services.searches.put(call.caller, name, call.given(*given))
    return Reply(201 if new else 200, search_view(await call.services.searches.get(call.caller.project, name)))


async def get(call: Call) -> Reply:
    """Show a saved search."""
    return Reply(200, search_view(await call.services.searches.get(call.caller.project, call.required("search_name"))))


async def delete(call: Call) -> Reply:
    """Delete a saved search."""
    await call.services.searches.delete(call.caller.project, call.required("search_name"))
    return Reply(204, {})

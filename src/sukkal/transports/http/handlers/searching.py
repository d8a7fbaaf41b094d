"""Operations on what is searched."""

from sukkal import limits
from sukkal.search import Shelf
from sukkal.service.asking import ASKED, check_members
from sukkal.transports.found import found_view, search_view, type_view
from sukkal.transports.http.bodies import decode_object, whole_body
from sukkal.transports.http.call import Call, next_link
from sukkal.transports.http.exchange import Response, json_response, no_content
from sukkal.transports.http.query import Query

__all__ = ["create", "delete", "events", "get", "list_searches", "resources", "types"]


async def events(call: Call) -> Response:
    """Search events."""
    return await _found(call, "events")


async def resources(call: Call) -> Response:
    """Search resources."""
    return await _found(call, "resources")


async def _found(call: Call, shelf: Shelf) -> Response:
    query = Query(call.request.query)
    check_members((name for name, _ in query.all_pairs()), shelf)
    found = await call.services.search.find(
        shelf,
        call.caller.project,
        {name: query.text(name) for name in ASKED},
        facets=query.words("facets"),
        marker=query.text("marker"),
        limit=query.number("limit"),
        deleted=bool(query.flag("deleted")),
    )
    # The facets are of all that matches, so the next page need not have them again.
    given = {name: query.text(name) for name in (*ASKED, "deleted", "limit")}
    path = f"/{call.version}/{shelf}"
    links = [] if found.marker is None else [next_link(path, given, found.marker)]
    return json_response(200, {**found_view(shelf, found), "links": links})


async def types(call: Call) -> Response:
    """List types of events."""
    query = Query(call.request.query)
    found = await call.services.search.types(
        call.caller.project, marker=query.text("marker"), limit=query.number("limit")
    )
    path = f"/{call.version}/events/types"
    links = [next_link(path, {"limit": query.text("limit")}, found[-1].type)] if found else []
    return json_response(200, {"types": [type_view(each) for each in found], "links": links})


async def list_searches(call: Call) -> Response:
    """List saved searches."""
    query = Query(call.request.query)
    found = await call.services.searches.list(
        call.caller.project, marker=query.text("marker"), limit=query.number("limit")
    )
    path = f"/{call.version}/searches"
    links = [next_link(path, {"limit": query.text("limit")}, found[-1].name)] if found else []
    return json_response(200, {"searches": [search_view(each) for each in found], "links": links})


async def create(call: Call) -> Response:
    """Save a search."""
    most = limits.SMALL_BODY_BYTES_MAX
    body = whole_body(call.request, most=most, refusal=f"The body is too large. Max size: {most}")
    name = call.parameters["search_name"]
    new = await call.services.searches.put(call.caller, name, decode_object(body))
    return json_response(201 if new else 200, search_view(await call.services.searches.get(call.caller.project, name)))


async def get(call: Call) -> Response:
    """Show a saved search."""
    found = await call.services.searches.get(call.caller.project, call.parameters["search_name"])
    return json_response(200, search_view(found))


async def delete(call: Call) -> Response:
    """Delete a saved search."""
    await call.services.searches.delete(call.caller.project, call.parameters["search_name"])
    return no_content()

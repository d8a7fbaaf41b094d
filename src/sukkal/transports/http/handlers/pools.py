"""Operations on pools and flavors."""

from collections.abc import Mapping
from typing import Any

from sukkal import limits
from sukkal.pools import Flavor
from sukkal.service.flavors import CAPABILITIES
from sukkal.service.pools import PoolState
from sukkal.transports.http.bodies import decode_object, whole_body
from sukkal.transports.http.call import Call, next_link
from sukkal.transports.http.exchange import Response, json_response, no_content
from sukkal.transports.http.query import Query

__all__ = [
    "create",
    "create_flavor",
    "delete",
    "delete_flavor",
    "drain",
    "get",
    "get_flavor",
    "list_flavors",
    "list_pools",
    "undrain",
    "update",
    "update_flavor",
]


async def list_pools(call: Call) -> Response:
    """List the pools."""
    query = Query(call.request.query)
    found = await call.services.pools.list(marker=query.text("marker"), limit=query.number("limit"))
    views = [_pool(each, detailed=bool(query.flag("detailed"))) for each in found]
    return _page(call, "pools", views)


async def create(call: Call) -> Response:
    """Make a pool."""
    name = call.parameters["pool_name"]
    await call.services.pools.put(name, _document(call))
    return _made(f"/{call.version}/pools/{name}")


async def get(call: Call) -> Response:
    """Show a pool."""
    query = Query(call.request.query)
    detailed = bool(query.flag("detailed"))
    found = await call.services.pools.get(call.parameters["pool_name"], counted=detailed)
    return json_response(200, _pool(found, detailed=detailed))


async def update(call: Call) -> Response:
    """Change a pool."""
    name = call.parameters["pool_name"]
    await call.services.pools.change(name, _document(call))
    return json_response(200, _pool(await call.services.pools.get(name), detailed=False))


async def delete(call: Call) -> Response:
    """Forget a pool."""
    await call.services.pools.delete(call.parameters["pool_name"])
    return no_content()


async def drain(call: Call) -> Response:
    """Begin to empty a pool."""
    found = await call.services.pools.drain(call.parameters["pool_name"], draining=True)
    return json_response(202, _pool(found, detailed=True))


async def undrain(call: Call) -> Response:
    """Empty a pool no further."""
    await call.services.pools.drain(call.parameters["pool_name"], draining=False)
    return no_content()


async def list_flavors(call: Call) -> Response:
    """List the flavors."""
    query = Query(call.request.query)
    found = await call.services.flavors.list(marker=query.text("marker"), limit=query.number("limit"))
    views = [_flavor(each, detailed=bool(query.flag("detailed"))) for each in found]
    return _page(call, "flavors", views)


async def create_flavor(call: Call) -> Response:
    """Make a flavor."""
    name = call.parameters["flavor_name"]
    await call.services.flavors.put(name, _document(call))
    return _made(f"/{call.version}/flavors/{name}")


async def get_flavor(call: Call) -> Response:
    """Show a flavor."""
    return json_response(200, _flavor(await call.services.flavors.get(call.parameters["flavor_name"]), detailed=True))


async def update_flavor(call: Call) -> Response:
    """Change a flavor."""
    name = call.parameters["flavor_name"]
    await call.services.flavors.change(name, _document(call))
    return json_response(200, _flavor(await call.services.flavors.get(name), detailed=True))


async def delete_flavor(call: Call) -> Response:
    """Forget a flavor."""
    await call.services.flavors.delete(call.parameters["flavor_name"])
    return no_content()


def _document(call: Call) -> Mapping[str, Any]:
    most = limits.SMALL_BODY_BYTES_MAX
    return decode_object(whole_body(call.request, most=most, refusal=f"The body is too large. Max size: {most}"))


def _page(call: Call, what: str, views: list[dict[str, Any]]) -> Response:
    query = Query(call.request.query)
    given = {name: query.text(name) for name in ("limit", "detailed")}
    links = [next_link(f"/{call.version}/{what}", given, views[-1]["name"])] if views else []
    return json_response(200, {what: views, "links": links})


def _made(path: str) -> Response:
    return Response(201, b"", ((b"location", path.encode("ascii")),))


def _pool(state: PoolState, *, detailed: bool) -> dict[str, Any]:
    pool = state.pool
    view: dict[str, Any] = {
        "name": pool.name,
        "href": f"/v2/pools/{pool.name}",
        "uri": pool.uri,
        "weight": pool.weight,
        "flavor": pool.flavor,
        "status": "up" if state.up else "down",
        "draining": pool.draining,
    }
    if detailed:
        view["options"] = pool.options
    if state.reason is not None:
        view["reason"] = state.reason
    if state.queues is not None:
        view["queues"] = state.queues
    return view


def _flavor(flavor: Flavor, *, detailed: bool) -> dict[str, Any]:
    view: dict[str, Any] = {
        "name": flavor.name,
        "href": f"/v2/flavors/{flavor.name}",
        "pool_list": list(flavor.pools),
    }
    if detailed:
        view["capabilities"] = list(CAPABILITIES)
    return view

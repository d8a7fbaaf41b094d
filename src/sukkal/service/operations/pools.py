"""Operations on where queues are kept."""

from typing import Final

from sukkal.service.operations.operation import Operation

__all__ = ["POOLS_OPERATIONS"]

_POOL: Final = "/pools/{pool_name}"
_FLAVOR: Final = "/flavors/{flavor_name}"

POOLS_OPERATIONS: Final = (
    Operation(name="pools.list", method="GET", path="/pools", policy="pools:get_all", summary="List the pools."),
    Operation(
        name="pools.create",
        method="PUT",
        path=_POOL,
        policy="pools:create",
        summary="Make a pool, or give one another weight.",
    ),
    Operation(name="pools.get", method="GET", path=_POOL, policy="pools:get", summary="Show a pool and how it does."),
    Operation(name="pools.update", method="PATCH", path=_POOL, policy="pools:update", summary="Change a pool."),
    Operation(name="pools.delete", method="DELETE", path=_POOL, policy="pools:delete", summary="Forget an empty pool."),
    Operation(
        name="pools.drain",
        method="POST",
        path=_POOL + "/drain",
        policy="pools:update",
        summary="Have a pool give its queues to the others.",
    ),
    Operation(
        name="pools.undrain",
        method="DELETE",
        path=_POOL + "/drain",
        policy="pools:update",
        summary="Let a pool that is drained keep the rest, and take queues again.",
    ),
    Operation(
        name="flavors.list", method="GET", path="/flavors", policy="flavors:get_all", summary="List the flavors."
    ),
    Operation(
        name="flavors.create",
        method="PUT",
        path=_FLAVOR,
        policy="flavors:create",
        summary="Make a flavor: a choice of pools by a name.",
    ),
    Operation(name="flavors.get", method="GET", path=_FLAVOR, policy="flavors:get", summary="Show a flavor."),
    Operation(
        name="flavors.update", method="PATCH", path=_FLAVOR, policy="flavors:update", summary="Change a flavor's pools."
    ),
    Operation(
        name="flavors.delete", method="DELETE", path=_FLAVOR, policy="flavors:delete", summary="Forget a flavor."
    ),
)

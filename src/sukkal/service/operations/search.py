"""Operations on what is searched."""

from typing import Final

from sukkal.service.operations.operation import Operation

__all__ = ["SEARCH_OPERATIONS"]

_SEARCH: Final = "/searches/{search_name}"

SEARCH_OPERATIONS: Final = (
    Operation(
        name="events.search",
        method="GET",
        path="/events",
        policy="events:get_all",
        action="event_search",
        summary="Search the events of all queues that are searched.",
    ),
    Operation(
        name="events.types",
        method="GET",
        path="/events/types",
        policy="events:get_types",
        action="event_types",
        summary="List the types of events, who produces them and what they look like.",
    ),
    Operation(
        name="resources.search",
        method="GET",
        path="/resources",
        policy="resources:get_all",
        action="resource_search",
        summary="Search resources as their latest events tell of them.",
    ),
    Operation(
        name="searches.list",
        method="GET",
        path="/searches",
        policy="searches:get_all",
        action="search_list",
        summary="List saved searches.",
    ),
    Operation(
        name="searches.create",
        method="PUT",
        path=_SEARCH,
        policy="searches:create",
        action="search_create",
        summary="Save a search: what it finds from now on is posted to a queue.",
    ),
    Operation(
        name="searches.get",
        method="GET",
        path=_SEARCH,
        policy="searches:get",
        action="search_get",
        summary="Show a saved search.",
    ),
    Operation(
        name="searches.delete",
        method="DELETE",
        path=_SEARCH,
        policy="searches:delete",
        action="search_delete",
        summary="Delete a saved search.",
    ),
)

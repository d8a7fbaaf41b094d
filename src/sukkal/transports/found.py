"""How what was found looks, which both transports show in the same form."""

from typing import Any

import msgspec

from sukkal.formats.times import rfc3339_of_ms
from sukkal.search import Change, Facets, Hit, TypeSeen
from sukkal.service.saved_searches import SavedSearch
from sukkal.service.searching import Found

__all__ = ["found_view", "search_view", "type_view"]


def found_view(name: str, found: Found) -> dict[str, Any]:
    """Return a page under its name, with facets if there are any."""
    document: dict[str, Any] = {name: [_hit_view(hit) for hit in found.hits]}
    if found.facets is not None:
        document["facets"] = _facets_view(found.facets)
    return document


def _hit_view(hit: Hit) -> dict[str, Any]:
    document = {
        "event": msgspec.Raw(hit.event),
        "queue": hit.queue,
        "message_id": hit.message_id,
        "posted": rfc3339_of_ms(hit.posted_ms),
    }
    return document if hit.resource is None else {"resource": _resource_view(hit.resource), **document}


def _resource_view(resource: Change) -> dict[str, Any]:
    return {"type": resource.type, "id": resource.id, "deleted": resource.deleted}


def _facets_view(facets: Facets) -> dict[str, Any]:
    counts = {
        name: [{"value": value, "count": count} for value, count in values] for name, values in facets.counts.items()
    }
    return {"counts": counts, "complete": facets.complete}


def type_view(seen: TypeSeen) -> dict[str, Any]:
    """Return a type of events."""
    source, id_ = seen.sample
    return {
        "type": seen.type,
        "count": seen.count,
        "first_posted": rfc3339_of_ms(seen.first_ms),
        "last_posted": rfc3339_of_ms(seen.last_ms),
        "producers": [{"source": source, "count": count} for source, count in seen.sources],
        "sample": {"source": source, "id": id_},
        "schema": seen.schema,
    }


def search_view(search: SavedSearch) -> dict[str, Any]:
    """Return a saved search."""
    return {"name": search.name, "queue": search.queue, **search.asked}

"""Searching: what has happened in a project, how its resources are, and which types of events there are."""

from collections.abc import Mapping

import msgspec

from sukkal import limits
from sukkal.search import Facets, Hit, SearchIndex, Shelf, TypeSeen
from sukkal.service.asking import asked_of, facets_of, place_of
from sukkal.service.pages import check_limit

__all__ = ["Found", "Search"]

_LIMIT = "Limit must be at least 1 and no greater than {}."


class Found(msgspec.Struct, frozen=True):
    """A page of what was found; ``marker`` continues it, ``None`` at its end; ``facets`` only if asked for."""

    hits: tuple[Hit, ...]
    marker: str | None
    facets: Facets | None = None


class Search:
    """The operations on what is searched."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index

    async def find(
        self,
        shelf: Shelf,
        project: str,
        given: Mapping[str, object],
        *,
        facets: object,
        marker: str | None,
        limit: int | None,
        deleted: bool = False,
    ) -> Found:
        """Return what a question finds, newest first. Raises ``InvalidRequest``, ``InvalidRequest``."""
        asked, names, before = asked_of(given), facets_of(facets), place_of(marker)
        limit = check_limit(limit, limits.PAGE_MAX, _LIMIT)
        page = await self._index.find(shelf, project, asked, before=before, limit=limit, deleted=deleted)
        counts = await self._index.facets(shelf, project, asked, names, deleted=deleted) if names else None
        return Found(page.hits, None if page.next is None else str(page.next), counts)

    async def types(self, project: str, *, marker: str | None, limit: int | None) -> tuple[TypeSeen, ...]:
        """Return types of events by name."""
        limit = check_limit(limit, limits.PAGE_MAX, _LIMIT)
        return await self._index.types(project, after=marker or "", limit=limit)

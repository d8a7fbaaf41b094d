"""Listings of what the client has no type for, or not all members of."""

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

from sukkal.cli.service import Session

__all__ = ["entries"]


async def entries(
    session: Session, path: str, member: str, has: Collection[str], headers: Mapping[str, str] | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Yield the entries of a listing, page by page, each of which has certain members."""
    while path:
        page = await session.client.request("GET", path, headers=headers)
        try:
            listed = page.member(member, list)
            if not all(isinstance(entry, dict) and entry.keys() >= set(has) for entry in listed):
                raise page.unexpected()
            for entry in listed:
                yield entry
            links = page.member("links", list)
            path = str(links[0]["href"]) if links else ""
        except (KeyError, TypeError):
            raise page.unexpected() from None

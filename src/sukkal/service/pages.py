"""Pages: how long they may be, and the markers that continue them."""

import re
from typing import Final

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.model import Position

__all__ = ["check_limit", "marker_of", "position_of"]

_MARKER: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


def check_limit(limit: int | None, most: int, refusal: str) -> int:
    """Return how many items to return. ``refusal`` is told the most there may be. Raises ``InvalidRequest``."""
    if limit is None:
        return min(limits.PAGE_DEFAULT, most)
    if not 1 <= limit <= most:
        raise InvalidRequest(refusal.format(most))
    return limit


def marker_of(position: Position) -> str:
    """Return a position as callers carry it from page to page."""
    return f"{position.at_ms}-{position.sequence}"


def position_of(marker: str) -> Position | None:
    """Return the position of a marker, or ``None`` if it is not one of ours."""
    match = _MARKER.fullmatch(marker)
    return Position(int(match[1]), int(match[2])) if match else None

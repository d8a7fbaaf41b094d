"""Ids that a test can predict."""

from collections.abc import Callable
from itertools import count

__all__ = ["counting_ids"]


def counting_ids(start: int = 1) -> Callable[[], str]:
    """Return a maker of ids that have the form of UUIDs and increase."""
    numbers = count(start)

    def new_id() -> str:
        return f"00000000-0000-7000-8000-{next(numbers):012x}"

    return new_id

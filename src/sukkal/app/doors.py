"""The doors: the servers of a process, as far as it has any, and who came in by them."""

from collections.abc import Callable

__all__ = ["Doors"]


class Doors:
    """Counts the connections of all servers."""

    def __init__(self) -> None:
        self._counts: list[Callable[[], int]] = []

    def add(self, count: Callable[[], int]) -> None:
        """Add a server, which tells how many connections it has."""
        self._counts.append(count)

    def __len__(self) -> int:
        return sum(count() for count in self._counts)

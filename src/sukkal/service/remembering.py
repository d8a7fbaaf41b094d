"""What is remembered so that it need not be made again, within bounds of memory: of all projects and of each."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Remembered"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values by project and name, each with its size; those that nobody asked for longest are forgotten first.

    All together have ``bytes_max`` at most, those of one project the ``share`` of that.
    """

    def __init__(self, bytes_max: int, *, share: int) -> None:
        self._left = bytes_max
        self._share = share
        self._known: OrderedDict[tuple[str, K], tuple[V, int]] = OrderedDict()
        self._shares: dict[str, OrderedDict[K, None]] = {}
        self._taken: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(self, project: str, name: K) -> V | None:
        """Return a value if it is remembered."""
        found = self._known.get((project, name))
        if found is None:
            return None
        self._known.move_to_end((project, name))
        self._shares[project].move_to_end(name)
        return found[0]

    def put(self, project: str, name: K, value: V, size: int) -> None:
        """Remember a value if it is not too large for that."""
        self.forget(project, name)
        if size > self._share:
            return
        while self._taken.get(project, 0) + size > self._share:
            self.forget(project, next(iter(self._shares[project])))
        while size > self._left:
            self.forget(*next(iter(self._known)))
        self._known[project, name] = (value, size)
        self._shares.setdefault(project, OrderedDict())[name] = None
        self._count(project, size)

    def forget(self, project: str, name: K) -> None:
        """Remember a value no longer."""
        found = self._known.pop((project, name), None)
        if found is not None:
            del self._shares[project][name]
            self._count(project, -found[1])
            if not self._shares[project]:
                del self._shares[project], self._taken[project]

    def _count(self, project: str, size: int) -> None:
        self._left -= size
        self._taken[project] = self._taken.get(project, 0) + size

"""What is committed, kept at hand, and apart from it what the running transaction has changed."""

from collections.abc import Callable
from typing import Generic, TypeVar

import apsw

__all__ = ["Committed"]

K = TypeVar("K")
V = TypeVar("V")


class Committed(Generic[K, V]):
    """The writer's view of things by name within a transaction, and the readers' view of what is committed.

    ``load`` reads one on a connection. As many are remembered as ``weight_max`` allows, each with its ``weight``; those
    that were read first are forgotten first.
    """

    def __init__(
        self,
        load: Callable[[apsw.Connection, K], V | None],
        *,
        writer: apsw.Connection,
        reader: apsw.Connection,
        weight_max: int,
        weight: Callable[[V], int] = lambda value: 1,
    ) -> None:
        self._load = load
        self._writer = writer
        self._reader = reader
        self._weight = weight
        self._weight_left = self._weight_max = weight_max
        self._committed: dict[K, V] = {}
        self._changed: dict[K, V | None] = {}

    def known(self, name: K) -> V | None:
        """Return what is committed under a name if it is at hand."""
        return self._committed.get(name)

    def find(self, name: K) -> V | None:
        """Return what is committed under a name."""
        value = self._committed.get(name)
        if value is None:
            value = self._load(self._reader, name)
            # What the running transaction has changed is not remembered from before its commit.
            if value is not None and name not in self._changed:
                self._remember(name, value)
        return value

    def present(self, name: K) -> V | None:
        """Return what is under a name as the running transaction sees it."""
        if name in self._changed:
            return self._changed[name]
        value = self._committed.get(name)
        if value is None:
            value = self._load(self._writer, name)
            if value is not None:
                self._remember(name, value)
        return value

    def change(self, name: K, value: V | None) -> None:
        """Note what the running transaction has made of it; ``None`` if it is gone, or is to be read anew."""
        self._changed[name] = value

    def commit(self) -> None:
        """Make the transaction's changes those that readers see."""
        for name, value in self._changed.items():
            self._forget(name)
            if value is not None:
                self._remember(name, value)
        self._changed.clear()

    def roll_back(self) -> None:
        """Forget what the transaction changed; what is true now is in the database."""
        self._changed.clear()
        self._committed.clear()
        self._weight_left = self._weight_max

    def _remember(self, name: K, value: V) -> None:
        weight = self._weight(value)
        if weight > self._weight_max:
            return
        while self._weight_left < weight:
            self._forget(next(iter(self._committed)))
        self._weight_left -= weight
        self._committed[name] = value

    def _forget(self, name: K) -> None:
        value = self._committed.pop(name, None)
        if value is not None:
            self._weight_left += self._weight(value)

"""Turns: how the time that filters take is shared among projects.

A project's filters look at one thing after another, however many of its requests ask for that at the same time. So in
each turn of the event loop a project has one part of its work done and no more, and a project with much to look at
slows itself.
"""

import asyncio
from weakref import WeakValueDictionary

from sukkal import limits

__all__ = ["Part", "Turns"]


class Turns:
    """Gives projects their turns. It is used on one event loop."""

    def __init__(self) -> None:
        # A lock is there as long as somebody has it or waits for it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, project: str) -> asyncio.Lock:
        """Return what one holds while the project's filters work. Whoever holds it asks for nothing else that waits."""
        lock = self._locks.get(project)
        if lock is None:
            lock = self._locks[project] = asyncio.Lock()
        return lock


class Part:
    """What is done in one turn of the event loop, by weight: attributes compared, or what takes as long."""

    def __init__(self) -> None:
        self._weight = 0

    def ends(self, weight: int) -> bool:
        """Count what was done, and tell whether it was enough: then others are to go on."""
        self._weight += weight
        if self._weight < limits.FILTER_WEIGHT_AT_ONCE:
            return False
        self._weight = 0
        return True

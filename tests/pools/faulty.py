"""Engines that fail on purpose, as a pool does whose machine goes away."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from sukkal.errors import StoreUnavailable
from sukkal.pools.members import MovableEngine

__all__ = ["Faults", "faulty", "hanging"]


class Faults:
    """Counts calls to engines, and lets one fail: before it has an effect, or after.

    If the process ``dies`` of it, so do all calls that follow, until it is set up again.
    """

    def __init__(self) -> None:
        self.count = 0
        self.reset()

    def reset(self, at: int | None = None, *, name: str | None = None, after: bool = False, dies: bool = False) -> None:
        """Let the call fail that comes after so many others, or the first one of a name, or none."""
        self._name = name
        self._at = None if at is None else self.count + at
        self._after = after
        self._dies = dies
        self._dead = False

    async def around(self, call: Callable[..., Any], given: Any, more: Any) -> Any:
        """Make a call, or fail."""
        self.count += 1
        await asyncio.sleep(0)  # Others have their turn at each call, as they would with a database.
        fails = self._at == self.count or self._name == call.__name__
        if self._dead or (fails and not self._after):
            self._dead = self._dead or self._dies
            self._name = None
            raise StoreUnavailable("died before")
        result = await call(*given, **more)
        if fails:
            self._dead = self._dies
            self._name = None
            raise StoreUnavailable("died after")
        return result


class _Wrapped:
    def __init__(self, engine: Any, around: Callable[[Any, Any, Any], Any]) -> None:
        self.engine = engine
        self._around = around

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.engine, name)
        if name == "stalled_ms":
            return found

        def call(*given: Any, **more: Any) -> Any:
            return self._around(found, given, more)

        call.__name__ = name
        return call


def faulty(engine: MovableEngine, faults: Faults) -> MovableEngine:
    """Return an engine whose calls are counted and may fail."""
    return cast(MovableEngine, _Wrapped(engine, faults.around))


def hanging(engine: MovableEngine, hangs: Callable[[], bool], *, only: str | None = None) -> MovableEngine:
    """Return an engine that does not answer while it ``hangs``, or not to ``only`` one call."""

    async def around(call: Callable[..., Any], given: Any, more: Any) -> Any:
        if hangs() and only in (None, call.__name__):
            await asyncio.Event().wait()
        return await call(*given, **more)

    return cast(MovableEngine, _Wrapped(engine, around))

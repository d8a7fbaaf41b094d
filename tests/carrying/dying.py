"""A store whose user dies at a call: before it has an effect, or after."""

from typing import Any, cast

from sukkal.errors import StoreUnavailable
from sukkal.testing.move_ends import MovableEngine

__all__ = ["Dying"]


class Dying:
    """Lets the n-th call be the last one, or the first of a name. All later ones fail without an effect."""

    def __init__(self, engine: MovableEngine, last: int = 0, *, after: bool, name: str = "") -> None:
        self._engine = engine
        self._last = last
        self._after = after
        self._name = name
        self.calls = 0
        self.dead = False

    @property
    def engine(self) -> MovableEngine:
        """The engine as its user sees it."""
        return cast(MovableEngine, self)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)

        async def call(*given: Any, **more: Any) -> Any:
            self.calls += 1
            if self.dead:
                raise StoreUnavailable("dead")
            self.dead = self.calls == self._last or name == self._name
            if not self.dead:
                return await found(*given, **more)
            if self._after:
                await found(*given, **more)
            raise StoreUnavailable("died")

        return call

"""How parts of the pools make a call of the engine of one."""

from collections.abc import Awaitable
from typing import Any, Protocol

__all__ = ["Ask"]


class Ask(Protocol):
    """Makes a call of a pool's engine. Raises ``StoreUnavailable`` if it is down."""

    def __call__(self, pool: str, call: str, /, *given: Any, **more: Any) -> Awaitable[Any]:
        """Make the call of that name."""

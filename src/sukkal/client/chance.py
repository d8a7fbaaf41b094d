"""Where a client draws lots and makes names; tests bring their own."""

import random
import uuid
from typing import Protocol

__all__ = ["Chance", "SystemChance"]


class Chance(Protocol):
    """What is left to chance."""

    def share(self) -> float:
        """Return a number from 0 up to 1."""
        ...

    def name(self) -> str:
        """Return a UUID that nobody else has."""
        ...


class SystemChance:
    """The system's randomness."""

    def share(self) -> float:
        """Return a number from 0 up to 1."""
        return random.random()

    def name(self) -> str:
        """Return a UUID that nobody else has."""
        return str(uuid.uuid4())

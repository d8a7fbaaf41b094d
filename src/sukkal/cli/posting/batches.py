"""Putting bodies together to posts that the service takes."""

import json
from typing import Any, Final, NamedTuple

__all__ = ["Batches", "Limits"]

_ENVELOPE_BYTES: Final = 32
_MEMBERS_BYTES: Final = 80


class Limits(NamedTuple):
    """How large a post may be."""

    messages: int
    bytes: int


class Batches:
    """Collects bodies, in their order, until a post is full. The same bodies make the same posts."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bodies: list[Any] = []
        self._bytes = _ENVELOPE_BYTES

    def add(self, body: Any) -> list[Any]:
        """Take a body, and return the bodies of a post that has become full, or none."""
        size = len(json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")) + _MEMBERS_BYTES
        full: list[Any] = []
        if self._bytes + size > self._limits.bytes or len(self._bodies) == self._limits.messages:
            full = self.rest()
        self._bodies.append(body)
        self._bytes += size
        return full

    def rest(self) -> list[Any]:
        """Return what is left, and begin anew."""
        full, self._bodies, self._bytes = self._bodies, [], _ENVELOPE_BYTES
        return full

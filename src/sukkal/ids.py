"""Making ids. Like the clock, it is handed down by the composition root.

The ids name things and open nothing: who may read or change a message is decided by its project. So they come from a
fast generator, seeded by the system.
"""

from collections.abc import Callable
from random import Random
from typing import Final

__all__ = ["CountedIds", "OrderedIds"]

_COUNTER_MAX: Final = 0xFFF


class OrderedIds:
    """Makes UUIDs of version 7 (RFC 9562): each is greater than the one before, and tells when it was made.

    Within a millisecond a counter tells them apart; the random part is drawn anew with each millisecond.
    """

    __slots__ = ("_bits", "_counter", "_head", "_last_ms", "_now_ms", "_tail")

    def __init__(self, now_ms: Callable[[], int], random: Random) -> None:
        self._now_ms = now_ms
        self._bits = random.getrandbits
        self._last_ms = 0
        self._counter = _COUNTER_MAX
        self._head = self._tail = ""

    def __call__(self) -> str:
        """Return a new id."""
        now_ms = self._now_ms()
        if now_ms > self._last_ms:
            self._begin(now_ms)
        elif self._counter < _COUNTER_MAX:
            self._counter += 1
        else:
            # More than 4,096 in a millisecond: borrow from the next one.
            self._begin(self._last_ms + 1)
        return f"{self._head}{self._counter:03x}{self._tail}"

    def _begin(self, now_ms: int) -> None:
        self._last_ms = now_ms
        self._counter = 0
        self._head = f"{now_ms >> 16:08x}-{now_ms & 0xFFFF:04x}-7"
        tail = f"{1 << 63 | self._bits(62):016x}"
        self._tail = f"-{tail[:4]}-{tail[4:]}"


class CountedIds:
    """Makes UUIDs of version 4 as far as their form goes: the first half is random, the second counts."""

    __slots__ = ("_count", "_head")

    def __init__(self, random: Random) -> None:
        head = f"{random.getrandbits(60):015x}"
        self._head = f"{head[:8]}-{head[8:12]}-4{head[12:15]}-"
        self._count = random.getrandbits(32)

    def __call__(self) -> str:
        """Return a new id."""
        self._count += 1
        return f"{self._head}8000-{self._count:012x}"

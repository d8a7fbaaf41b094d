"""Classes of lifetimes: how expired messages are passed by without being looked at.

A message's *lifetime* is the time between the moment from which it can be claimed and its expiry. Within one class
the index is ordered by the former, so a bound on the class's longest lifetime tells where the live ones begin.

Lifetimes on a grid of customary values (two significant digits, or whole hours) have a class of their own and an
exact bound. Any other shares a class with those within a factor of two: of these, the messages that have expired but
not reached the bound are filtered, until the sweeper has removed them. The grid bounds the number of classes that a
queue can have, and so the number of seeks of a claim.
"""

from functools import lru_cache
from typing import Final

__all__ = ["NEVER", "SET_ASIDE", "is_exact", "lifetime_class", "longest_ms", "shortest_ms"]

SET_ASIDE: Final = -1
"""Not a lifetime: messages that ordinary claims must not find."""

NEVER: Final = 0
"""Messages that expire before they could be claimed."""

_HOUR_S: Final = 3_600


@lru_cache(maxsize=4_096)
def lifetime_class(lifetime_ms: int) -> int:
    """Return the class of a lifetime: twice its seconds if it is on the grid, else an odd number."""
    if lifetime_ms <= 0:
        return NEVER
    seconds, rest_ms = divmod(lifetime_ms, 1_000)
    if not rest_ms and _on_grid(seconds):
        return 2 * seconds
    return 2 * (1 << seconds.bit_length() >> 1) + 1


def is_exact(lifetime: int) -> bool:
    """Tell whether all messages of the class have the same lifetime."""
    return lifetime > NEVER and lifetime % 2 == 0


def longest_ms(lifetime: int) -> int:
    """Return a bound that no lifetime of the class exceeds."""
    seconds = lifetime // 2
    return seconds * 1_000 if lifetime % 2 == 0 else max(2 * seconds, 1) * 1_000


def shortest_ms(lifetime: int) -> int:
    """Return a bound below which no lifetime of the class lies."""
    return lifetime // 2 * 1_000


def _on_grid(seconds: int) -> bool:
    if seconds % _HOUR_S == 0:
        return True
    step = 1
    while seconds >= 100 * step:
        step *= 10
    return step <= 100 and seconds % step == 0

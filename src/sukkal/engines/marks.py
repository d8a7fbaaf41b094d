"""Marks that outlive a queue: where it is noted that contents of a queue of this name were given up.

There are so many and no more. Queues that share one only seem to have been given up when another was.
"""

from typing import Final
from zlib import crc32

from sukkal.model import QueueKey

__all__ = ["mark_of"]

_MARKS: Final = 4_096


def mark_of(key: QueueKey) -> int:
    """Return the number under which a queue's mark is kept: a negative one, which is no queue's."""
    return -1 - crc32(f"{key.kind}/{key.name}/{key.project}".encode()) % _MARKS

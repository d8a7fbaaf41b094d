"""Two engines in memory, which are let go of whatever comes."""

import contextlib
from collections.abc import Iterator

from sukkal.engines.memory import MemoryEngine
from sukkal.testing.move_ends import Ends

__all__ = ["in_memory"]


@contextlib.contextmanager
def in_memory() -> Iterator[Ends]:
    ends = Ends(lambda name: MemoryEngine())
    try:
        yield ends
    finally:
        ends.close()

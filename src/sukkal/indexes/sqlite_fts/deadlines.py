"""Breaking off what a connection is at when its time is up."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import apsw

__all__ = ["Deadline"]

# Full-text search takes few steps for much work, so this is far less than a millisecond of anything else.
_STEPS_BETWEEN_LOOKS: Final = 100


class Deadline:
    """How long a connection may work. ``elapsed_s`` counts seconds from any beginning."""

    def __init__(self, elapsed_s: Callable[[], float]) -> None:
        self._elapsed_s = elapsed_s
        self._ends_s: float | None = None

    def watch(self, connection: apsw.Connection) -> None:
        """Let statements of the connection fail with ``apsw.InterruptError`` when the time is up."""
        connection.set_progress_handler(self._is_over, _STEPS_BETWEEN_LOOKS)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Give so many seconds to what is done within. The time begins here, in the thread that does it."""
        self._ends_s = self._elapsed_s() + seconds
        try:
            yield
        finally:
            self._ends_s = None

    def _is_over(self) -> bool:
        return self._ends_s is not None and self._elapsed_s() >= self._ends_s

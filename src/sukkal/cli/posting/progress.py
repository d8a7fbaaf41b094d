"""A bar on a terminal that shows how far something is."""

import shutil
from typing import Final, TextIO

__all__ = ["Progress"]

_WIDTH_MAX: Final = 40
_CLEAR: Final = "\r\x1b[K"


class Progress:
    """Draws on ``to`` if that is a terminal. Without a ``total`` it only counts."""

    def __init__(self, to: TextIO, total: int | None, *, wanted: bool = True) -> None:
        self._to = to
        self._total = total
        self._shown = wanted and to.isatty()

    def show(self, done: int, count: int) -> None:
        """Draw the bar at ``done`` of the total, with a count of things beside it."""
        if not self._shown:
            return
        text = f"{count:,} messages"
        if self._total:
            share = min(done / self._total, 1.0)
            width = max(min(_WIDTH_MAX, shutil.get_terminal_size().columns - len(text) - 12), 0)
            filled = int(width * share)
            text = f"[{'#' * filled}{'.' * (width - filled)}] {share:4.0%} {text}"
        self._to.write(f"{_CLEAR}{text}")
        self._to.flush()

    def clear(self) -> None:
        """Take the bar away, so that what is printed next has the line for itself."""
        if self._shown:
            self._to.write(_CLEAR)
            self._to.flush()

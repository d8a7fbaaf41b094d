"""A terminal that is drawn over in place, and the keys that are pressed meanwhile."""

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

__all__ = ["Screen"]

_ENTER: Final = "\x1b[?1049h\x1b[?25l"  # The other screen, so that the old one comes back; no cursor.
_LEAVE: Final = "\x1b[?25h\x1b[?1049l"
_HOME: Final = "\x1b[H"
_CLEAR_LINE: Final = "\x1b[K"
_CLEAR_BELOW: Final = "\x1b[J"
_KEYS: Final = 64


class Screen:
    """The terminal of standard output for as long as the context lasts. ``changed`` is set when its size changes.

    ``quit`` is set when somebody presses q.
    """

    def __init__(self) -> None:
        self.quit = asyncio.Event()
        self.changed = asyncio.Event()
        self._keys: int | None = None
        self._before: list[int | list[bytes | int]] = []

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        if sys.stdin.isatty():
            self._keys = sys.stdin.fileno()
            self._before = termios.tcgetattr(self._keys)
            tty.setcbreak(self._keys)
            loop.add_reader(self._keys, self._read)
        loop.add_signal_handler(signal.SIGWINCH, self.changed.set)
        self._write(_ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGWINCH)
        if self._keys is not None:
            loop.remove_reader(self._keys)
            termios.tcsetattr(self._keys, termios.TCSADRAIN, self._before)
        self._write(_LEAVE)

    def draw(self, lines: Sequence[str], *, head: Callable[[str], str]) -> None:
        """Show as much of the lines as there is room for; ``head`` makes the second one, the table's, stand out."""
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
        shown = [line[:columns] for line in lines[:rows]]
        if len(shown) > 1:
            shown[1] = head(shown[1])
        self._write(_HOME + "\n".join(f"{line}{_CLEAR_LINE}" for line in shown) + _CLEAR_BELOW)

    def _read(self) -> None:
        assert self._keys is not None  # noqa: S101 - it is what is read
        pressed = os.read(self._keys, _KEYS)
        if b"q" in pressed.lower() or not pressed:
            self.quit.set()

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

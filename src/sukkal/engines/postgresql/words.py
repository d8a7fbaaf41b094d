"""What nodes say to each other, in parts that are small enough for a notification."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Final

__all__ = ["Assembly", "parts_of"]

_PART_CHARS: Final = 7_800
_PARTS_MAX: Final = 10_000
"""More than the largest post has."""


def parts_of(words: Sequence[bytes]) -> list[str]:
    """Return the parts of several words in their order; no two are equal, since equal ones would be said once."""
    numbers = count()
    return [part for word in words for part in _parts(word, numbers)]


def _parts(word: bytes, numbers: Iterator[int]) -> Iterator[str]:
    text = b64encode(word).decode("ascii")
    for at in range(0, max(len(text), 1), _PART_CHARS):
        last = at + _PART_CHARS >= len(text)
        yield f"{next(numbers)}{'.' if last else '+'}{text[at : at + _PART_CHARS]}"


class Assembly:
    """Puts parts together again. Those of one sender come one after the other; a word without its end is dropped."""

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self._hear = hear
        self._begun: dict[int, list[str]] = {}

    def add(self, sender: int, part: str) -> None:
        """Take the next part that a sender has said."""
        number = part[: len(part) - len(part.lstrip("0123456789"))]
        end, text = part[len(number)], part[len(number) + 1 :]
        begun = self._begun.pop(sender, [])
        begun.append(text)
        if end == ".":
            self._hear(b64decode("".join(begun)))
        elif len(begun) < _PARTS_MAX:
            self._begun[sender] = begun

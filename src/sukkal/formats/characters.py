"""Which characters the text of a CloudEvent's attribute cannot have."""

from typing import Final

__all__ = ["NO_CHARACTERS"]

NO_CHARACTERS: Final = "\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef" + "".join(
    [chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)]
)
"""Control characters, halves of surrogate pairs, and code points that are no characters, for a class of a pattern."""

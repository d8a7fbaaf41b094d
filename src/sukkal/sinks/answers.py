"""What a receiver said, made fit to be shown to the subscription's owner."""

import re
from collections.abc import Iterable
from typing import Final

from sukkal import limits

__all__ = ["shown"]

_CONTROLS: Final = re.compile(r"[^\S\n]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HIDDEN: Final = "***"


def shown(answer: bytes, secrets: Iterable[str] = ()) -> str:
    """Return the beginning of an answer as text, without the secrets that it echoes and without control characters."""
    text = answer.decode("utf-8", errors="replace")
    # The longest first, so that no rest remains of one that contains another.
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return _CONTROLS.sub(" ", text)[: limits.ANSWER_SHOWN_CHARS_MAX].strip()

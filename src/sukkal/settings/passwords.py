"""Passwords that stand in URLs."""

import re
from typing import Final

__all__ = ["without_password"]

_PASSWORD: Final = re.compile(r"(?<=://)([^:/@\s]*):[^/\s]*@")


def without_password(text: str) -> str:
    """Return a text with stars in the place of each password that a URL in it has."""
    return _PASSWORD.sub(r"\1:***@", text)

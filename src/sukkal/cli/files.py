"""The files that a command is told to read."""

from pathlib import Path

__all__ = ["read_text"]


def read_text(path: str) -> str:
    """Return the text of a UTF-8 file."""
    return Path(path).read_text(encoding="utf-8")

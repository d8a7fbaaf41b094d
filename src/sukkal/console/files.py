"""The files of the console, as they lie in the package."""

import hashlib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, NamedTuple

__all__ = ["File", "console_files"]

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class File(NamedTuple):
    """A file as it is served: its path below the console, its content type, its entity tag and what is in it."""

    path: str
    media_type: str
    tag: str
    content: bytes


def console_files() -> tuple[File, ...]:
    """Read all files of the console."""
    return tuple(_walk(files("sukkal.console") / "static", ""))


def _walk(folder: Traversable, prefix: str) -> Iterator[File]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
            continue
        _, dot, ending = entry.name.rpartition(".")
        content = entry.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        yield File(prefix + entry.name, _TYPES[dot + ending], tag, content)

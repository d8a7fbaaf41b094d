"""Paths into documents: members by name or pattern, at any depth if asked for."""

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

__all__ = ["DEEP", "REMOVED", "Path", "change", "parse", "values"]

Path = tuple[str, ...]

DEEP: Final = "**"
"""The segment that stands for any number of members, none included."""

REMOVED: Final = object()
"""What a change returns for a member that shall be no more."""


def parse(text: str) -> Path:
    """Return the path of a text such as ``/payload/*_object.data/host``. Raises ``ValueError``."""
    segments = tuple(text.removeprefix("/").split("/"))
    if not text.startswith("/") or not all(segments) or segments[-1] == DEEP:
        raise ValueError(f"{text!r} is not a path such as /payload/tenant_id or /**/host")
    return segments


def values(document: Any, path: Sequence[str]) -> Iterator[Any]:
    """Return what the path leads to, nearest first. The members of lists are looked at as if they stood there."""
    if not path:
        yield document
    elif isinstance(document, list):
        for each in document:
            yield from values(each, path)
    elif isinstance(document, dict):
        head, rest = path[0], path[1:]
        if head == DEEP:
            yield from values(document, rest)
            for each in document.values():
                if isinstance(each, dict | list):
                    yield from values(each, path)
        elif "*" in head:
            for name, each in document.items():
                if _is(name, head):
                    yield from values(each, rest)
        elif head in document:
            yield from values(document[head], rest)


def change(document: Any, path: Sequence[str], changed: Callable[[Any], Any]) -> Any:
    """Return the document with everything the path leads to replaced by what ``changed`` makes of it.

    The document itself stays as it is; what did not change is shared with it.
    """
    if isinstance(document, list):
        made: list[Any] = [change(each, path, changed) for each in document]
        return document if all(new is old for new, old in zip(made, document, strict=True)) else made
    if not isinstance(document, dict):
        return document
    members = {name: _changed(name, value, path, changed) for name, value in document.items()}
    if all(members[name] is value for name, value in document.items()):
        return document
    return {name: value for name, value in members.items() if value is not REMOVED}


def _changed(name: str, value: Any, path: Sequence[str], changed: Callable[[Any], Any]) -> Any:
    head, rest = path[0], path[1:]
    if head == DEEP:
        value = _changed(name, value, rest, changed)
        return change(value, path, changed) if isinstance(value, dict | list) else value
    if not _is(name, head):
        return value
    return change(value, rest, changed) if rest else changed(value)


def _is(name: str, pattern: str) -> bool:
    return name == pattern or ("*" in pattern and fnmatchcase(name, pattern))

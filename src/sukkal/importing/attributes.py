"""What of a queue's metadata has to be written to have a queue like another."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

__all__ = ["ENCRYPT", "NO_QUEUE", "Attributes", "compare", "given"]

ENCRYPT: Final = "_enable_encrypt_messages"

NO_QUEUE: Final = "sukkal-import-asks-for-defaults"
"""The name of a queue that nobody has: what is shown of it are the defaults. Asking for it makes none."""


class Attributes(NamedTuple):
    """The metadata to be written, and the names of those that somebody has already given another value."""

    wanted: Mapping[str, Any]
    kept: tuple[str, ...]


def given(shown: Mapping[str, Any], defaults: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the metadata that a queue was given, of what is shown of it."""
    return {name: value for name, value in shown.items() if name not in defaults or not _same(value, defaults[name])}


def compare(source: Mapping[str, Any], present: Mapping[str, Any], defaults: Mapping[str, Any]) -> Attributes:
    """Return what the source has and a queue that is ``present`` has not.

    ``defaults`` are what is shown of a queue without metadata.
    """
    other = {name: value for name, value in source.items() if name not in present or not _same(present[name], value)}
    kept = tuple(name for name in other if name in present and not _same(present[name], defaults.get(name)))
    return Attributes({name: value for name, value in other.items() if name not in kept}, kept)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)

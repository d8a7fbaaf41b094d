"""Sinks of other distributions, found by the entry points in which those say what they bring."""

import re
from collections.abc import Collection, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import msgspec

from sukkal.errors import SettingsError
from sukkal.sink import Sink
from sukkal.sinks.guard import Guard

__all__ = ["GROUP", "SinkContext", "third_party_sinks"]

GROUP: Final = "sukkal.sinks"
"""The group of entry points: the name is the URI scheme, the object takes a ``SinkContext`` and returns a ``Sink``."""

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.\-]*")
_OPERATIONS: Final = ("check", "attempt", "close")


class SinkContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a sink of another distribution is made with.

    ``guard`` tells which addresses the operator lets deliveries go to; a sink connects to no others. ``timeout_s`` is
    the longest that an attempt may take.
    """

    guard: Guard
    timeout_s: float


def third_party_sinks(context: SinkContext, ours: Collection[str]) -> Sequence[Sink]:
    """Return a sink for each entry point. ``ours`` are schemes that nobody can replace.

    Raises ``SettingsError``, naming the distribution, for one that does not work.
    """
    found: dict[str, Sink] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, _distribution(point))):
        if not _SCHEME.fullmatch(point.name):
            raise SettingsError(f"{_who(point)}: the name of its entry point must be a URI scheme in lower case.")
        if point.name in ours or point.name in found:
            raise SettingsError(f"{_who(point)}: another sink delivers to {point.name} already. Uninstall one of them.")
        found[point.name] = _made(point, context)
    return list(found.values())


def _made(point: EntryPoint, context: SinkContext) -> Sink:
    try:
        sink: Sink = point.load()(context)
        schemes = tuple(sink.schemes)
    except Exception as error:
        raise SettingsError(f"{_who(point)} cannot be made: {type(error).__name__}: {error}") from error
    if schemes != (point.name,):
        raise SettingsError(f"{_who(point)}: its `schemes` are {schemes}, and must be that of its entry point alone.")
    if missing := [name for name in _OPERATIONS if not callable(getattr(sink, name, None))]:
        raise SettingsError(f"{_who(point)} has no `{missing[0]}`.")
    return sink


def _who(point: EntryPoint) -> str:
    return f"The sink {point.name!r} of the package {_distribution(point)}"


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "?"

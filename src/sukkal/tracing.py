"""Traces: which trace work belongs to, and the contract of what tells a tracing system about it.

Without a tracer nothing is told and nothing is kept; nobody makes one unless the operator wants traces.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final, Literal, NamedTuple, Protocol

from sukkal import limits

__all__ = ["Kind", "Span", "Trace", "Tracer", "current_trace", "set_trace", "trace_of"]

Kind = Literal["server", "client", "internal"]

# Of a version that is not known yet, what is known of it counts; ff is none, nor are ids of zeros.
_PARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_KNOWN: Final = "00"
_KNOWN_CHARS: Final = 55
_STATE: Final = re.compile(r"[\x20-\x7e\t]*")


class Trace(NamedTuple):
    """A place in a trace, as W3C's trace context writes it: what is done there has this for its parent."""

    parent: str
    state: str = ""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by which it is passed on."""
        found = {"traceparent": self.parent}
        return found | {"tracestate": self.state} if self.state else found


class Span(Protocol):
    """Something that takes a while."""

    @property
    def trace(self) -> Trace:
        """The place of the span, for what is done within it."""

    def note(self, name: str, value: str | int) -> None:
        """Add an attribute."""

    def end(self, error: str = "") -> None:
        """End it; with an error it has failed."""


class Tracer(Protocol):
    """Tells a tracing system. It is called on the event loop, never waits, and never raises."""

    def begin(self, name: str, kind: Kind, parent: Trace | None, attributes: Mapping[str, str | int]) -> Span:
        """Begin a span: within its parent, or as the first of a trace."""

    def close(self) -> None:
        """Tell what has not been told yet, within a moment. It may be called in any thread."""


_current: Final[ContextVar[Trace | None]] = ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    """Return where this task is in a trace, if it is in any."""
    return _current.get()


def set_trace(trace: Trace | None) -> None:
    """Let this task be there from now on."""
    _current.set(trace)


def trace_of(headers: Mapping[str, str | None]) -> Trace | None:
    """Return what a request says by its headers; what is not well-formed says nothing."""
    parent, state = headers.get("traceparent"), headers.get("tracestate") or ""
    if parent is None or len(parent) > limits.TRACE_PARENT_CHARS_MAX or not _PARENT.fullmatch(parent):
        return None
    if parent.startswith(_KNOWN) and len(parent) != _KNOWN_CHARS:
        return None
    fits = len(state) <= limits.TRACE_STATE_CHARS_MAX and _STATE.fullmatch(state)
    return Trace(parent, state if fits else "")

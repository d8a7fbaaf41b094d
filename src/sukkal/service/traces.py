"""The trace of a message, kept in its attributes, whether it is in a queue or on its way to a subscriber."""

from typing import Final

import msgspec

from sukkal.tracing import Trace

__all__ = ["kept_trace"]


class _Traced(msgspec.Struct):
    traceparent: str | None = None
    tracestate: str = ""


_decoder: Final = msgspec.json.Decoder(_Traced)


def kept_trace(attributes: bytes | None) -> Trace | None:
    """Return where in which trace a message was posted, if it was in any."""
    if attributes is None:
        return None
    found = _decoder.decode(attributes)
    return None if found.traceparent is None else Trace(found.traceparent, found.tracestate)

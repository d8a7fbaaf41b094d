"""The trace in which a program asks, where the program itself is traced with OpenTelemetry."""

import sys
from collections.abc import Mapping

__all__ = ["trace_headers"]


def trace_headers() -> Mapping[str, str]:
    """Return the headers that say where in which trace the caller is; none if it is in no trace."""
    # Who has a span has loaded this; nobody else shall pay for it.
    if "opentelemetry.trace" not in sys.modules:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    found: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(found)
    return found

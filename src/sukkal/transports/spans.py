"""The span of an operation, whichever transport it came by."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sukkal.errors import SukkalError
from sukkal.tracing import Span, set_trace
from sukkal.transports.statuses import STATUS

__all__ = ["TRACE_HEADERS", "operation_span"]

TRACE_HEADERS: Final = ("traceparent", "tracestate")

_STATUS: Final = "http.response.status_code"
_OURS: Final = 500
"""From this status on it is not the caller's fault, and the span has failed."""


@contextlib.contextmanager
def operation_span(
    begin: Callable[[Mapping[str, str | int]], Span], about: Mapping[str, str], operation: str, request_id: str
) -> Iterator[Span]:
    """Be within the span of an operation, which ``begin`` begins with its attributes.

    One that is given up because its caller has gone has not failed.
    """
    span = begin({**about, "sukkal.operation": operation, "sukkal.request_id": request_id})
    set_trace(span.trace)
    error = ""
    try:
        yield span
    except SukkalError as refusal:
        status = STATUS[refusal.code]
        span.note(_STATUS, status)
        span.note("error.type", refusal.code)
        error = refusal.code if status >= _OURS else ""
        raise
    except Exception as defect:
        error = type(defect).__name__
        raise
    finally:
        span.end(error)

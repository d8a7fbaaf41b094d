"""Traces by OpenTelemetry: the contract of ``sukkal.tracing`` over its SDK, exported over OTLP."""

from collections.abc import Mapping
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)
from opentelemetry.trace import Span as OpenSpan

from sukkal import __version__
from sukkal.tracing import Kind, Trace

__all__ = ["OpenTelemetry"]

_KINDS: Final[Mapping[Kind, SpanKind]] = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "internal": SpanKind.INTERNAL,
}
_NOWHERE: Final = Context()


def _context(parent: Trace) -> Context:
    _, trace_id, span_id, flags = parent.parent.split("-")[:4]
    at = SpanContext(
        int(trace_id, 16),
        int(span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(int(flags, 16)),
        trace_state=TraceState.from_header([parent.state]) if parent.state else None,
    )
    return set_span_in_context(NonRecordingSpan(at), _NOWHERE)


class _Span:
    def __init__(self, span: OpenSpan) -> None:
        self._span = span
        # The SDK's propagator says the same, and takes several times as long.
        at = span.get_span_context()
        parent = f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}"
        self.trace = Trace(parent, at.trace_state.to_header() if at.trace_state else "")

    def note(self, name: str, value: str | int) -> None:
        """Add an attribute."""
        self._span.set_attribute(name, value)

    def end(self, error: str = "") -> None:
        """End it; with an error it has failed."""
        if error:
            self._span.set_status(Status(StatusCode.ERROR, error))
        self._span.end()


class OpenTelemetry:
    """Hands spans to a thread that exports them; how, where to and which is for the variables ``OTEL_...`` to say.

    What the thread has no room for is dropped.
    """

    def __init__(self, exporter: SpanExporter | None = None) -> None:
        ours = Resource.create({SERVICE_NAME: "sukkal", SERVICE_VERSION: __version__})
        self._provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("sukkal", __version__)

    def begin(self, name: str, kind: Kind, parent: Trace | None, attributes: Mapping[str, str | int]) -> _Span:
        """Begin a span: within its parent, or as the first of a trace."""
        context = _NOWHERE if parent is None else _context(parent)
        return _Span(self._tracer.start_span(name, context, _KINDS[kind], attributes))

    def close(self) -> None:
        """Tell what has not been told yet, within a moment. It may be called in any thread."""
        self._provider.shutdown()

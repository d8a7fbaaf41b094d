"""A collector: an HTTP server that takes spans over OTLP and remembers them."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.closing import Closing

__all__ = ["Collector", "parent_of", "told_of", "traceparent"]

_STOP_S: Final = 30


class Collector(Closing):
    """A collector on a free port of 127.0.0.1, which is taken from the constructor's return to ``close``."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.resources: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where spans are to be sent to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1/traces"

    def take(self, request: ExportTraceServiceRequest) -> None:
        """Remember what came."""
        for resource in request.resource_spans:
            self.resources.append({each.key: each.value.string_value for each in resource.resource.attributes})
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_STOP_S)


def told_of(span: Span) -> dict[str, str | int]:
    """Return the attributes of a span."""
    return {
        each.key: each.value.int_value if each.value.HasField("int_value") else each.value.string_value
        for each in span.attributes
    }


def traceparent(span: Span) -> str:
    """Return the place of a span."""
    return f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01"


def parent_of(span: Span, spans: list[Span]) -> Span | None:
    """Return the span that another one is a child of."""
    return next((each for each in spans if each.span_id == span.parent_span_id), None)

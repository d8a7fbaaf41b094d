"""Traces: from a request through the fan-out to each attempt, as a collector gets them."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.api.calling import Service
from tests.api.otlp_receiver import Collector, parent_of, told_of, traceparent
from tests.api.sockets import Socket
from tests.api.test_deliveries import BAD, Obedient, subscribe

TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT: Final = "00f067aa0ba902b7"
CONTEXT: Final = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=1"}


class Traced:
    """A service whose spans go to a collector, which has them when it is closed."""

    def __init__(self, store: str, sink: Obedient, collector: Collector) -> None:
        self.sink = sink
        self.service = Service(store, sink=sink, traces=True)
        self._collector = collector
        self._open = True

    def spans(self) -> dict[str, Any]:
        """Stop, and return the spans by their names; of several with one name the last."""
        return {span.name: span for span in self.all_spans()}

    def all_spans(self) -> list[Any]:
        """Stop, and return the spans in the order in which they ended."""
        self.close()
        return self._collector.spans

    def close(self) -> None:
        """Stop, if it has not."""
        if self._open:
            self._open = False
            self.service.close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def traced(collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.url)
    traced = Traced(f"sqlite:///{tmp_path / 'data'}", Obedient(), collector)
    yield traced
    traced.close()


def post(service: Service, queue: str = "q", **headers: str) -> str:
    document = {"messages": [{"body": 1}]}
    response = service.post(f"/v2/queues/{queue}/messages", json=document, headers=headers)
    assert response.status_code == 201, response.text
    return str(response.json()["resources"][0]).rpartition("/")[2]


def test_post_fan_out_and_each_attempt_hang_together(traced: Traced) -> None:
    service, sink = traced.service, traced.sink
    subscription = subscribe(service)
    sink.outcomes["test://one/x"] = BAD
    message = post(service, **CONTEXT)
    service.deliver()
    sink.outcomes.clear()
    service.pass_s(10_000)
    service.deliver()
    spans = [span for span in traced.all_spans() if span.trace_id.hex() == TRACE]
    fan_out, posted, failed, delivered = spans
    assert (fan_out.name, posted.name) == ("fan out", "POST /v2/queues/{queue_name}/messages")
    assert posted.parent_span_id.hex() == PARENT
    assert [parent_of(each, spans) for each in (fan_out, failed, delivered)] == [posted] * 3
    assert [each.status.code for each in spans] == [0, 0, 2, 0]
    assert failed.status.message == "The receiver answered 500."
    about = {
        "messaging.system": "sukkal",
        "messaging.operation.name": "deliver",
        "messaging.destination.name": "q",
        "messaging.message.id": message,
        "messaging.message.body.size": 1,
        "sukkal.project": "p",
        "sukkal.subscription": subscription,
    }
    assert (failed.name, delivered.name) == ("deliver test", "deliver test")
    ends = {"sukkal.delivery.outcome": "failed", "sukkal.delivery.status": 500, "sukkal.delivery.attempt": 1}
    assert told_of(failed) == about | ends
    ends = {"sukkal.delivery.outcome": "delivered", "sukkal.delivery.status": 200, "sukkal.delivery.attempt": 2}
    assert told_of(delivered) == about | ends
    assert {span.trace_state for span in spans} == {"vendor=1"}


def test_the_receiver_gets_the_context_of_the_attempt(traced: Traced) -> None:
    subscribe(traced.service)
    post(traced.service, **CONTEXT)
    traced.service.deliver()
    [delivery] = traced.sink.given
    span = traced.spans()["deliver test"]
    assert delivery.trace is not None
    assert delivery.trace.headers == {"traceparent": traceparent(span), "tracestate": "vendor=1"}


def test_a_span_says_what_was_asked_for_and_how_it_ended(traced: Traced, collector: Collector) -> None:
    request_id = traced.service.get("/v2/queues/q/messages/nothing", headers=CONTEXT).headers["x-openstack-request-id"]
    span = traced.spans()["GET /v2/queues/{queue_name}/messages/{message_id}"]
    assert told_of(span) == {
        "http.request.method": "GET",
        "http.route": "/v2/queues/{queue_name}/messages/{message_id}",
        "http.response.status_code": 404,
        "error.type": "queue_not_found",
        "sukkal.operation": "messages.get",
        "sukkal.request_id": request_id,
    }
    assert span.status.code == 0  # That the caller was wrong is no failure of the service.
    assert collector.resources[0]["service.name"] == "sukkal"


def test_a_defect_is_a_span_that_failed(traced: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any, **more: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(traced.service.app.services.queues, "list", broken)
    traced.service.run(traced.service.request("GET", "/v2/queues"))
    assert traced.spans()["GET /v2/queues"].status.message == "ZeroDivisionError"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "nonsense",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"01-{TRACE}-{PARENT}-01-{'x' * 200}",
    ],
)
def test_a_wrong_context_is_ignored_and_a_trace_begins_here(traced: Traced, wrong: str) -> None:
    post(traced.service, traceparent=wrong)
    span = traced.spans()["POST /v2/queues/{queue_name}/messages"]
    assert span.parent_span_id == b""
    assert span.trace_id.hex() != TRACE


def test_without_a_context_the_message_begins_a_trace_of_its_own(traced: Traced) -> None:
    first, second = (post(traced.service, queue="q") for _ in range(2))
    shown = traced.service.get("/v2/queues/q/messages?echo=true&detailed=true").json()["messages"]
    assert [each["id"] for each in shown] == [first, second]
    assert len({each["traceparent"].split("-")[1] for each in shown}) == 2


def test_consumers_are_shown_the_context_where_they_ask_for_details(traced: Traced) -> None:
    post(traced.service, **CONTEXT)
    detailed = traced.service.get("/v2/queues/q/messages?echo=true&detailed=true").json()["messages"]
    plain = traced.service.get("/v2/queues/q/messages?echo=true").json()["messages"]
    span = traced.spans()["POST /v2/queues/{queue_name}/messages"]
    assert [(each["traceparent"], each["tracestate"]) for each in detailed] == [(traceparent(span), "vendor=1")]
    assert "traceparent" not in plain[0]


def test_dead_letters_and_forwarded_messages_stay_in_their_trace(traced: Traced) -> None:
    service = traced.service
    service.put("/v2/queues/tired", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    subscribe(service, "queue:next", queue="dead")
    post(service, queue="tired", **CONTEXT)
    service.claim(queue="tired", ttl=60)
    service.pass_s(61)
    service.claim(queue="tired")
    service.deliver()
    for queue in ("dead", "next"):
        [message] = service.get(f"/v2/queues/{queue}/messages?echo=true&detailed=true").json()["messages"]
        assert message["traceparent"].split("-")[1] == TRACE
    assert traced.spans()["deliver queue"].trace_id.hex() == TRACE


def test_a_frame_brings_a_context_and_a_consumer_gets_it(traced: Traced) -> None:
    with Socket(traced.service, project="p") as poster, Socket(traced.service, project="p") as consumer:
        consumer.ask("claim_create", {"queue_name": "q", "prefetch": 1})
        poster.ask("message_post", {"queue_name": "q", "messages": [{"body": 1}]}, **CONTEXT)
        pushed = consumer.raw()
    span = traced.spans()["message_post"]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert traceparent(span) in str(pushed)


def test_without_the_setting_nothing_is_kept_and_nothing_is_loaded(tmp_path: Path) -> None:
    sink = Obedient()
    service = Service("memory://", sink=sink)
    subscribe(service)
    post(service, **CONTEXT)
    service.deliver()
    assert "traceparent" not in service.get("/v2/queues/q/messages?echo=true&detailed=true").text
    assert [delivery.trace for delivery in sink.given] == [None]
    service.close()


def test_a_collector_that_is_away_costs_nothing_but_the_spans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"http://127.0.0.1:{unused_port}/v1/traces")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
    sink = Obedient()
    service = Service("memory://", sink=sink, traces=True)
    subscribe(service)
    for _ in range(100):
        post(service)
    service.deliver()
    assert len(sink.given) == 100
    service.close()


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port

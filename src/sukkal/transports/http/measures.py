"""What an operator can measure: requests by operation and outcome, and how long they took."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sukkal.durations import Durations
from sukkal.service.indexing import Indexing
from sukkal.service.quotas import Quotas
from sukkal.transports.http.exchange import Response

__all__ = ["Measures", "QuotaMeasures", "SearchMeasures", "metrics_page"]

_BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


class Measures(Collector):
    """The metrics of the HTTP transport.

    They are plain numbers of the event loop's thread and become Prometheus' metrics when somebody looks.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._outcomes: dict[tuple[str, str], int] = {}
        self._durations: dict[str, Durations] = {}
        registry.register(self)

    def note(self, operation: str, outcome: str, seconds: float) -> None:
        """Count a request and how long it took."""
        key = (operation, outcome)
        self._outcomes[key] = self._outcomes.get(key, 0) + 1
        durations = self._durations.get(operation)
        if durations is None:
            durations = self._durations[operation] = Durations(_BUCKETS_S)
        durations.note(seconds)

    def collect(self) -> Iterator[Metric]:
        """Give Prometheus' client the numbers."""
        requests = CounterMetricFamily(
            "sukkal_requests", "Requests by operation and outcome.", labels=("operation", "outcome")
        )
        for key, count in self._outcomes.items():
            requests.add_metric(key, count)
        yield requests
        durations = HistogramMetricFamily(
            "sukkal_request_seconds", "Time to answer, waiting for messages included.", labels=("operation",)
        )
        for operation, took in self._durations.items():
            durations.add_metric((operation,), took.buckets(), took.sum_s)
        yield durations


def metrics_page(*registries: CollectorRegistry) -> Response:
    """Return all metrics in Prometheus' text format."""
    text = b"".join(generate_latest(registry) for registry in registries)
    return Response(200, text, ((b"content-type", CONTENT_TYPE_LATEST.encode("ascii")),))


class QuotaMeasures(Collector):
    """What projects keep and may keep: those that have limits and have stored something since the start."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas

    def collect(self) -> Iterator[Metric]:
        """Give Prometheus' client the numbers."""
        labels = ("project", "resource")
        used = GaugeMetricFamily("sukkal_project_used", "What a limited project keeps, at most.", labels=labels)
        most = GaugeMetricFamily("sukkal_project_limit", "What a limited project may keep.", labels=labels)
        for project, usage, allowed in self._quotas.known():
            for resource in usage.__struct_fields__:
                used.add_metric((project, resource), getattr(usage, resource))
                if (limit := getattr(allowed, resource)) is not None:
                    most.add_metric((project, resource), limit)
        yield from (used, most)


class SearchMeasures(Collector):
    """How the index keeps up."""

    def __init__(self, registry: CollectorRegistry, indexing: Indexing) -> None:
        self._indexing = indexing
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Give Prometheus' client the numbers."""
        yield CounterMetricFamily("sukkal_indexed_events", "Events that are new in the index.", self._indexing.indexed)
        yield CounterMetricFamily(
            "sukkal_index_failures", "Attempts to index that failed and are repeated.", self._indexing.failed
        )
        yield CounterMetricFamily(
            "sukkal_saved_searches_skipped", "Saved searches left out for taking too long.", self._indexing.skipped
        )
        yield HistogramMetricFamily(
            "sukkal_index_delay_seconds",
            "Age of the oldest event of each batch when it was in the index.",
            self._indexing.delays.buckets(),
            self._indexing.delays.sum_s,
        )

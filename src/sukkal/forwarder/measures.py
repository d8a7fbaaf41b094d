"""What an operator can measure of the routes, for Prometheus."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sukkal.forwarder.route import Route

__all__ = ["RouteMeasures"]


class RouteMeasures(Collector):
    """The numbers of all routes, made into metrics when somebody looks."""

    def __init__(self, routes: Sequence[Route], now_ms: Callable[[], int]) -> None:
        self._routes = routes
        self._now_ms = now_ms

    def collect(self) -> Iterator[Metric]:
        """Give Prometheus' client the numbers."""
        outcomes = CounterMetricFamily(
            "sukkal_forwarder_notifications",
            "Notifications by what became of them: accepted, skipped, repeated, dead.",
            labels=("route", "outcome"),
        )
        failures = CounterMetricFamily(
            "sukkal_forwarder_failures", "Attempts after which the publisher had to be asked again.", labels=("route",)
        )
        held = GaugeMetricFamily(
            "sukkal_forwarder_held", "Notifications that were taken and are not accepted yet.", labels=("route",)
        )
        oldest = GaugeMetricFamily(
            "sukkal_forwarder_oldest_seconds", "Age of the oldest event that is held, 0 if none is.", labels=("route",)
        )
        waiting = GaugeMetricFamily(
            "sukkal_forwarder_waiting", "Notifications that the source still has.", labels=("route",)
        )
        delay = GaugeMetricFamily(
            "sukkal_forwarder_last_delay_seconds", "Age of the last event when it was accepted.", labels=("route",)
        )
        for route in self._routes:
            lag, name = route.lag, route.lag.route
            for outcome in ("accepted", "skipped", "repeated", "dead"):
                outcomes.add_metric((name, outcome), getattr(lag, outcome))
            failures.add_metric((name,), lag.failures)
            notifications = route.held
            held.add_metric((name,), len(notifications))
            oldest.add_metric((name,), lag.oldest_s(notifications, self._now_ms()))
            if lag.waiting is not None:
                waiting.add_metric((name,), lag.waiting)
            if lag.last_delay_s is not None:
                delay.add_metric((name,), lag.last_delay_s)
        yield from (outcomes, failures, held, oldest, waiting, delay)

"""What an operator can measure beside requests: the process, the store, deliveries and the work in the background.

All are plain numbers that the parts keep anyway. They are made into metrics when somebody looks, and none of them names
a project, a queue or a subscriber: how many there are of these is not for us to say.
"""

import logging
from collections.abc import Iterator, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sukkal import __version__, limits
from sukkal.app.doors import Doors
from sukkal.app.presence import Presence
from sukkal.app.pulse import Pulse
from sukkal.app.push import Push
from sukkal.app.steering import SteeredClock
from sukkal.app.upkeep import Upkeep
from sukkal.durations import Durations
from sukkal.engines.commits import Commits
from sukkal.pools import PooledEngine
from sukkal.service.claims import Claims
from sukkal.settings import Settings

__all__ = ["DeliveryMeasures", "LogCounts", "ProcessMeasures", "StoreMeasures"]


class LogCounts(logging.Handler):
    """Counts the lines of the log that tell of trouble, by their level.

    That spans could not be exported is none of the service's errors, whatever the exporter thinks of it.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines = {"warning": 0, "error": 0}

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line."""
        ours = not record.name.startswith("opentelemetry")
        self.lines["error" if ours and record.levelno >= logging.ERROR else "warning"] += 1


class ProcessMeasures(Collector):
    """The process: its version, its loop, who is connected, what failed beside the requests."""

    def __init__(
        self,
        settings: Settings,
        pulse: Pulse,
        doors: Doors,
        present: Presence,
        clock: SteeredClock,
        failures: Mapping[str, int],
        logs: LogCounts,
    ) -> None:
        self._settings = settings
        self._pulse = pulse
        self._doors = doors
        self._present = present
        self._clock = clock
        self._failures = failures
        self._logs = logs

    def collect(self) -> Iterator[Metric]:
        """Give Prometheus' client the numbers."""
        build = GaugeMetricFamily("sukkal_build_info", "1, with the version as a label.", labels=("version",))
        build.add_metric((__version__,), 1)
        yield build
        yield _histogram("sukkal_loop_lag_seconds", "How late the event loop came to what was due.", self._pulse.lags)
        yield GaugeMetricFamily("sukkal_connections", "Connections, those of WebSockets included.", len(self._doors))
        yield GaugeMetricFamily(
            "sukkal_connections_limit", "How many there may be for each listener.", self._settings.max_connections
        )
        yield GaugeMetricFamily(
            "sukkal_websocket_connections_limit",
            "How many WebSocket connections there may be.",
            self._settings.max_websocket_connections,
        )
        yield GaugeMetricFamily("sukkal_waiting", "Clients that wait for messages.", self._present.waiting.present)
        yield GaugeMetricFamily("sukkal_listeners", "Listeners at queues.", len(self._present.listeners))
        yield GaugeMetricFamily(
            "sukkal_clock_ahead_seconds",
            "How far the clock of a shared store is ahead of the machine's.",
            self._clock.ahead_ms / limits.SECOND_MS,
        )
        yield _counts("sukkal_work_failures", "Failures of work beside the requests.", "work", self._failures)
        yield _counts("sukkal_log_lines", "Lines of the log that tell of trouble.", "level", self._logs.lines)


class StoreMeasures(Collector):
    """The store: its commits, what goes through it, what is removed, and the pools."""

    def __init__(self, engine: PooledEngine, commits: Commits, pushing: Push, claims: Claims, keeping: Upkeep) -> None:
        self._engine = engine
        self._commits = commits
        self._pushing = pushing
        self._claims = claims
        self._keeping = keeping

    def collect(self) -> Iterator[Metric]:
        """Give Prometheus' client the numbers."""
        commits, sweeper, members = self._commits, self._keeping.sweeper, list(self._engine.members)
        yield _histogram("sukkal_store_commit_seconds", "Time that transactions took.", commits.durations)
        yield CounterMetricFamily(
            "sukkal_store_committed_calls", "Calls that were in these transactions.", commits.calls
        )
        yield CounterMetricFamily("sukkal_store_failures", "Transactions that failed.", commits.failed)
        yield CounterMetricFamily(
            "sukkal_messages_posted", "Messages posted, without copies for subscribers.", self._pushing.posting.posted
        )
        yield CounterMetricFamily("sukkal_messages_claimed", "Messages claimed.", self._claims.claimed)
        yield CounterMetricFamily("sukkal_sweeps", "Rounds of removing what has ended.", sweeper.rounds)
        yield CounterMetricFamily("sukkal_swept_rows", "Rows and idle queues removed by them.", sweeper.removed)
        down = sum(member.down for member in members)
        pools = {"up": len(members) - down, "down": down}
        yield _gauges("sukkal_pools", "Pools beside the store.", "state", pools)


class DeliveryMeasures(Collector):
    """Deliveries to subscribers, and what was given up."""

    def __init__(self, pushing: Push, keeping: Upkeep) -> None:
        self._pushing = pushing
        self._keeping = keeping

    def collect(self) -> Iterator[Metric]:
        """Give Prometheus' client the numbers."""
        attempts, deliveries = self._pushing.attempts, self._pushing.deliveries
        outcomes = CounterMetricFamily(
            "sukkal_delivery_attempts", "Attempts by kind of subscriber and outcome.", labels=("kind", "outcome")
        )
        for labels, count in attempts.outcomes.items():
            outcomes.add_metric(labels, count)
        yield outcomes
        yield _histograms("sukkal_delivery_attempt_seconds", "Time that attempts took.", attempts.took)
        yield _histograms("sukkal_delivery_delay_seconds", "From the post to the subscriber's yes.", attempts.delays)
        yield GaugeMetricFamily("sukkal_delivery_workers", "Workers that deliver now.", deliveries.at_work)
        yield GaugeMetricFamily("sukkal_delivery_workers_limit", "How many there may be.", limits.DELIVERY_WORKERS_MAX)
        yield GaugeMetricFamily(
            "sukkal_backlogs_paused", "Backlogs that are left alone for a while.", deliveries.left_alone
        )
        yield GaugeMetricFamily(
            "sukkal_breakers_open", "Endpoints left alone after failures.", self._pushing.ledger.breakers.open_now()
        )
        yield CounterMetricFamily(
            "sukkal_deliveries_dropped", "Deliveries for which there was no room.", self._pushing.ledger.dropped
        )
        given_up = {**attempts.given_up, "claims": self._keeping.burials.buried}
        yield _counts("sukkal_dead_letters", "What was given up, by reason.", "reason", given_up)


def _counts(name: str, meaning: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=(label,))
    for text, count in counts.items():
        family.add_metric((text,), count)
    return family


def _gauges(name: str, meaning: str, label: str, numbers: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=(label,))
    for text, number in numbers.items():
        family.add_metric((text,), number)
    return family


def _histogram(name: str, meaning: str, took: Durations) -> Metric:
    return HistogramMetricFamily(name, meaning, took.buckets(), took.sum_s)


def _histograms(name: str, meaning: str, took: Mapping[str, Durations]) -> Metric:
    family = HistogramMetricFamily(name, meaning, labels=("kind",))
    for kind, each in took.items():
        family.add_metric((kind,), each.buckets(), each.sum_s)
    return family

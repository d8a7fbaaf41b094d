"""Attempts to deliver: each is bounded, and counted by its outcome."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from sukkal import limits
from sukkal.durations import Durations
from sukkal.sink import Delivery, Outcome, Sink
from sukkal.tracing import Tracer, set_trace

__all__ = ["Attempts"]

_log: Final = logging.getLogger("sukkal.deliveries")

_TOOK_S: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_DELAYS_S: Final = (0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0, 3_600.0, 21_600.0, 86_400.0)
_REASONS: Final = ("attempts", "gone", "permanent", "disabled")


class Attempts:
    """Has sinks make attempts. Those of one kind of sink are counted together, whoever the subscribers are.

    ``delays`` are the times from the post to the subscriber's yes, ``given_up`` counts by reason.
    """

    def __init__(self, tracer: Tracer | None, now_ms: Callable[[], int]) -> None:
        self._tracer = tracer
        self._now_ms = now_ms
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.took: dict[str, Durations] = {}
        self.delays: dict[str, Durations] = {}
        self.given_up = dict.fromkeys(_REASONS, 0)

    async def make(self, sink: Sink, delivery: Delivery) -> Outcome:
        """Let a sink make an attempt; one that does not keep to its contract costs the time of one delivery."""
        if self._tracer is None:
            return await self._make(sink, delivery)
        span = self._tracer.begin(f"deliver {sink.schemes[0]}", "client", delivery.trace, _attributes(delivery))
        # What is posted to another queue belongs there, too.
        set_trace(span.trace)
        try:
            outcome = await self._make(sink, replace(delivery, trace=span.trace))
        except BaseException as error:
            span.end(type(error).__name__)
            raise
        finally:
            set_trace(None)
        span.note("sukkal.delivery.outcome", _name(outcome))
        if outcome.status is not None:
            span.note("sukkal.delivery.status", outcome.status)
        span.end("" if outcome.delivered else outcome.error or _name(outcome))
        return outcome

    async def _make(self, sink: Sink, delivery: Delivery) -> Outcome:
        began_ms = self._now_ms()
        try:
            async with asyncio.timeout(delivery.timeout_s + limits.DELIVERY_TIMEOUT_SPARE_S):
                outcome = await sink.attempt(delivery)
        except TimeoutError:
            outcome = Outcome(delivered=False, error="The receiver did not answer in time.")
        except Exception:  # noqa: BLE001 - a defect of one sink must not stop the deliveries of others
            _log.exception("the sink for %s failed", delivery.subscriber.partition(":")[0])
            outcome = Outcome(delivered=False, error="The delivery failed inside of the service; its log says why.")
        self._note(sink.schemes[0], delivery, outcome, began_ms)
        return outcome

    def give_up(self, reason: str) -> None:
        """Count a delivery that is not tried any more; a reason that is none of ours is a subscription's disabling."""
        self.given_up[reason if reason in _REASONS else "disabled"] += 1

    def _note(self, kind: str, delivery: Delivery, outcome: Outcome, began_ms: int) -> None:
        now_ms = self._now_ms()
        self.outcomes[kind, _name(outcome)] += 1
        if kind not in self.took:
            self.took[kind], self.delays[kind] = Durations(_TOOK_S), Durations(_DELAYS_S)
        if outcome.attempted:
            self.took[kind].note((now_ms - began_ms) / limits.SECOND_MS)
        if outcome.delivered:
            self.delays[kind].note((now_ms - delivery.posted_ms) / limits.SECOND_MS)


def _attributes(delivery: Delivery) -> dict[str, str | int]:
    """Return what a span tells of a delivery: not its subscriber, in whose URL there may be secrets."""
    return {
        "messaging.system": "sukkal",
        "messaging.operation.name": "deliver",
        "messaging.destination.name": delivery.queue_name,
        "messaging.message.id": delivery.id,
        "messaging.message.body.size": len(delivery.body),
        "sukkal.project": delivery.project,
        "sukkal.subscription": delivery.subscription_id,
        "sukkal.delivery.attempt": delivery.attempt,
    }


def _name(outcome: Outcome) -> str:
    if outcome.delivered:
        return "delivered"
    if not outcome.attempted:
        return "unattempted"
    return "gone" if outcome.gone else "refused" if outcome.permanent else "failed"

"""The contract of sinks: what makes one attempt to bring one delivery to one kind of subscriber.

A sink never repeats an attempt by itself, keeps nothing, and decides nothing about retries: it tells what happened.
Laws, tested by ``sukkal.testing.sink_contract``:

* **One attempt.** ``attempt`` makes at most one and returns its outcome, whatever the other side does; it never raises
  but for cancellation.
* **Bounded.** It ends within ``Delivery.timeout_s`` and reads a bounded part of what comes back.
* **Honest.** ``delivered`` means that the other side said that it took the delivery, ``attempted=False`` that it was
  not even asked.
* **Discreet.** An outcome's error is a sentence for the subscription's owner: no secret, no trace, no address inside of
  the service's own network.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from sukkal.tracing import Trace

__all__ = ["Delivery", "Outcome", "Sink"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message on its way to one subscriber.

    ``id`` is the message's and the same in every attempt; ``body`` is its JSON text, in the clear. ``attempt`` counts
    from 1. ``ttl_s`` is the life that the message was posted with. ``options`` are the subscription's. ``now_ms`` is
    when the attempt begins, ``timeout_s`` the most it may take. A ``notice`` is a message of the service's own, such as
    the request to confirm a subscription: its body is all that is sent. ``passed`` names the queues that the message
    has been in, the subscription's last. With a ``media_type`` the body is something of that type, and nothing is made
    around it. ``trace`` is where it is in a trace, to be passed on where there is a place for that.
    """

    id: str
    attempt: int
    body: bytes
    ttl_s: int
    posted_ms: int
    project: str
    queue_name: str
    subscription_id: str
    subscriber: str
    options: Mapping[str, Any]
    now_ms: int
    timeout_s: float
    notice: bool = False
    passed: tuple[str, ...] = ()
    media_type: str | None = None
    trace: Trace | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an attempt.

    ``status`` is what the other side answered with, in its own terms (an HTTP status, an SMTP code), ``None`` if it did
    not. ``retry_after_s`` is how long it asked to be left alone. ``gone`` says that it never wants to hear again.
    ``permanent`` says that another attempt with the same delivery is pointless, ``answer`` is the beginning of what
    came back, for a test by a person.

    It was not ``attempted`` if the sink had no room for it, through no fault of the other side: nothing was sent, no
    attempt is counted, and the subscription's deliveries go on after a short pause, or after ``retry_after_s``.
    """

    delivered: bool
    attempted: bool = True
    status: int | None = None
    error: str = ""
    retry_after_s: int | None = None
    gone: bool = False
    permanent: bool = False
    answer: str = ""


class Sink(Protocol):
    """Delivers to subscribers whose URI has one of ``schemes``."""

    @property
    def schemes(self) -> tuple[str, ...]:
        """The URI schemes, in lower case."""

    def check(self, subscriber: str, options: Mapping[str, Any]) -> None:
        """Refuse what could never be delivered to. Raises ``InvalidRequest``, naming the field.

        Nobody is asked, nothing is resolved.
        """

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Make one attempt."""

    async def close(self) -> None:
        """Let go of all connections."""

"""The parts that deliver what is posted, made and let go of together."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from random import Random

import msgspec

from sukkal import limits
from sukkal.app.access import Entrance
from sukkal.app.presence import Presence
from sukkal.app.searching import Searching, searching
from sukkal.model import QueueKey
from sukkal.pools import PooledEngine
from sukkal.service.attempts import Attempts
from sukkal.service.backlogs import Backlogs
from sukkal.service.breakers import Breakers
from sukkal.service.confirmations import Confirmations
from sukkal.service.deliveries import Deliveries
from sukkal.service.fan_out import FanOut
from sukkal.service.forwarding import Forwarding, Post
from sukkal.service.heartbeats import Heartbeats
from sukkal.service.ledger import Ledger
from sukkal.service.lenses import Lenses
from sukkal.service.letters import Letters
from sukkal.service.orders import Arrangement, Arrangements
from sukkal.service.posting import Posting
from sukkal.service.quotas import Quotas
from sukkal.service.redrives import Redrives
from sukkal.service.senders import Senders
from sukkal.service.subscriptions import Subscriptions
from sukkal.service.trusts import TrustedOrders
from sukkal.settings import Settings
from sukkal.sink import Sink
from sukkal.sinks.queue import QueueSink
from sukkal.sinks.trust import TrustSink
from sukkal.store import Engine
from sukkal.tracing import Tracer

__all__ = ["Push", "push"]


class Push(msgspec.Struct, frozen=True):
    """Subscriptions and searches, and what brings them what they want.

    ``trusts`` are there only where callers come from Keystone.
    """

    subscriptions: Subscriptions
    ledger: Ledger
    attempts: Attempts
    redrives: Redrives
    fan_out: FanOut
    posting: Posting
    letters: Letters
    deliveries: Deliveries
    search: Searching
    trusts: TrustedOrders | None


@contextlib.asynccontextmanager
async def push(
    settings: Settings,
    engine: PooledEngine,
    present: Presence,
    door: Entrance,
    quotas: Quotas,
    sinks: Sequence[Sink],
    lenses: Lenses,
    post: Post,
    tracer: Tracer | None,
    now_ms: Callable[[], int],
    new_id: Callable[[], str],
) -> AsyncIterator[Push]:
    """Make them; at the end let the attempts that run finish, and close all connections.

    ``post`` is how messages are forwarded to other queues.
    """

    def wake(backlogs: Sequence[QueueKey]) -> None:
        deliveries.wake(backlogs)

    search = searching(settings, engine, door, lenses.recogniser, post, now_ms, new_id)
    posting = Posting(present.used, present.waiting, present.listeners, wake)
    attempts, good_for_ms = Attempts(tracer, now_ms), None if engine.shared is None else limits.COUNT_GOOD_FOR_MS
    backlogs = Backlogs(engine, now_ms, new_id, bytes_max=settings.max_backlog_size, good_for_ms=good_for_ms)
    ledger, timeout_s = Ledger(engine, backlogs, Breakers(now_ms), now_ms), settings.delivery_timeout_s
    senders, arrangements, trusts = _senders(settings, engine, door, sinks, post, now_ms)
    confirmations = Confirmations(engine, backlogs, door.signer, wake, now_ms, new_id)
    heartbeats = Heartbeats(engine, settings, now_ms, new_id)
    subscriptions = Subscriptions(
        present.used, settings, senders, confirmations, quotas, arrangements, heartbeats, now_ms, new_id
    )
    fan_out = FanOut(engine, backlogs, settings, lenses, heartbeats.heard, now_ms)
    letters = Letters(engine, door.encryption, lenses.recogniser, posting, fan_out, now_ms)
    deliveries = Deliveries(
        engine,
        subscriptions,
        senders,
        door.encryption,
        lenses,
        heartbeats,
        letters,
        ledger,
        attempts,
        now_ms,
        new_id,
        Random().random,
        timeout_s=timeout_s,
        consumers=search.consumers,
    )
    redrives = Redrives(
        engine, subscriptions, senders, ledger, attempts, lenses, wake, now_ms, new_id, timeout_s=timeout_s
    )
    pushing = Push(subscriptions, ledger, attempts, redrives, fan_out, posting, letters, deliveries, search, trusts)
    try:
        yield pushing
    finally:
        await deliveries.close(settings.shutdown_grace_s)
        await senders.close()
        await search.index.close()


def _senders(
    settings: Settings, engine: Engine, door: Entrance, sinks: Sequence[Sink], post: Post, now_ms: Callable[[], int]
) -> tuple[Senders, Arrangements, TrustedOrders | None]:
    """Return all sinks, what has to be arranged for some of them, and the trusts that are, if any can be."""
    forwarding = Forwarding(door.gate, settings, post)
    all_sinks = [*sinks, QueueSink(forwarding.forward, forwarding.check)]
    arranged: dict[str, Arrangement] = {"queue": forwarding}
    trusts = None
    webhooks = next((sink for sink in sinks if "http" in sink.schemes), None)
    if door.trusts is not None and webhooks is not None:
        trusts = TrustedOrders(door.trusts, engine, now_ms)
        trusting = TrustSink(webhooks, trusts.token, trusts.forget)
        all_sinks.append(trusting)
        arranged |= dict.fromkeys(trusting.schemes, trusts)
    return Senders(all_sinks), Arrangements(arranged), trusts

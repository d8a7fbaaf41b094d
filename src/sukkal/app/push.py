"""The parts that deliver what is posted, made and let go of together."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from random import Random

import msgspec

from sukkal.app.access import Entrance
from sukkal.model import QueueKey
from sukkal.service.confirmations import Confirmations
from sukkal.service.deliveries import Deliveries
from sukkal.service.fan_out import FanOut
from sukkal.service.ledger import Ledger
from sukkal.service.quotas import Quotas
from sukkal.service.redrives import Redrives
from sukkal.service.senders import Senders
from sukkal.service.subscriptions import Subscriptions
from sukkal.service.waiting import Waiting
from sukkal.settings import Settings
from sukkal.sink import Sink
from sukkal.store import Engine

__all__ = ["Push", "push"]


class Push(msgspec.Struct, frozen=True):
    """Subscriptions, and what brings them what they ordered."""

    subscriptions: Subscriptions
    redrives: Redrives
    fan_out: FanOut
    deliveries: Deliveries


@contextlib.asynccontextmanager
async def push(
    settings: Settings,
    engine: Engine,
    door: Entrance,
    waiting: Waiting,
    quotas: Quotas,
    sinks: Sequence[Sink],
    now_ms: Callable[[], int],
    new_id: Callable[[], str],
) -> AsyncIterator[Push]:
    """Make them; at the end let the attempts that run finish, and close all connections."""

    def wake(backlogs: Sequence[QueueKey]) -> None:
        deliveries.wake(backlogs)

    senders, ledger, timeout_s = Senders(sinks), Ledger(engine, now_ms), settings.delivery_timeout_s
    confirmations = Confirmations(engine, door.signer, wake, now_ms, new_id)
    subscriptions = Subscriptions(engine, settings, senders, confirmations, quotas, now_ms, new_id)
    deliveries = Deliveries(
        engine,
        subscriptions,
        senders,
        door.encryption,
        waiting,
        ledger,
        now_ms,
        new_id,
        Random().random,
        timeout_s=timeout_s,
    )
    redrives = Redrives(engine, subscriptions, senders, ledger, wake, now_ms, new_id, timeout_s=timeout_s)
    try:
        yield Push(subscriptions, redrives, FanOut(engine, settings, wake, now_ms), deliveries)
    finally:
        await deliveries.close(settings.shutdown_grace_s)
        await senders.close()

"""The work that no request waits for, made together: idle queues, dead letters, sweeping."""

from collections.abc import Callable

import msgspec

from sukkal.app.engines import sweeping_turn
from sukkal.app.presence import Presence
from sukkal.app.push import Push
from sukkal.pools import PooledEngine
from sukkal.service.dead_letters import Burials
from sukkal.service.idle import IdleQueues
from sukkal.service.sweeper import Sweeper
from sukkal.settings import Settings

__all__ = ["Upkeep", "upkeep"]


class Upkeep(msgspec.Struct, frozen=True):
    """What keeps the store in order."""

    idle: IdleQueues
    burials: Burials
    sweeper: Sweeper


def upkeep(
    settings: Settings,
    engine: PooledEngine,
    present: Presence,
    pushing: Push,
    now_ms: Callable[[], int],
    new_id: Callable[[], str],
) -> Upkeep:
    """Return what keeps the store in order, as one of several nodes if the store is shared."""
    idle = IdleQueues(
        engine,
        present.uses,
        present.waiting,
        present.listeners,
        pushing.search.removal,
        now_ms,
        round_s=None if engine.shared is None else settings.sweep_interval_s,
    )
    burials = Burials(engine, pushing.letters, present.waiting, now_ms, new_id)
    sweeper = Sweeper(
        engine,
        burials,
        idle,
        pushing.search.index,
        now_ms,
        search_retention_s=settings.search_retention_s,
        may_sweep=sweeping_turn(engine, new_id(), now_ms),
    )
    return Upkeep(idle, burials, sweeper)

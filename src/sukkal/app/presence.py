"""Those who wait, listen and call at this node, made together with what tells them of other nodes."""

from collections.abc import Callable

import msgspec

from sukkal.app.access import Entrance
from sukkal.pools import PooledEngine
from sukkal.service.clear_store import ClearStore
from sukkal.service.lenses import Lenses
from sukkal.service.listening import Listeners
from sukkal.service.neighbours import Neighbours
from sukkal.service.replies import Replies
from sukkal.service.uses import UsedStore, Uses
from sukkal.service.waiting import Waiting

__all__ = ["Presence", "presence_at"]


class Presence(msgspec.Struct, frozen=True):
    """Who is there, and the store as callers see it: ``used`` as it is, ``store`` in the clear."""

    uses: Uses
    used: UsedStore
    store: ClearStore
    waiting: Waiting
    listeners: Listeners
    replies: Replies
    neighbours: Neighbours


def presence_at(engine: PooledEngine, door: Entrance, lenses: Lenses, now_ms: Callable[[], int]) -> Presence:
    """Return them, and have them told from now on what other nodes do."""
    shared = engine.shared
    waiting, uses = Waiting(engine, now_ms), Uses(now_ms)
    used = UsedStore(engine, uses)
    store = ClearStore(used, door.encryption, waiting.wake)
    listeners = Listeners(store, door.encryption, lenses, uses, now_ms, shared=shared is not None)
    replies = Replies(waiting)
    neighbours = Neighbours(shared, waiting, listeners, replies, door.encryption)
    engine.hints(neighbours.hint, neighbours.hear)
    return Presence(uses, used, store, waiting, listeners, replies, neighbours)

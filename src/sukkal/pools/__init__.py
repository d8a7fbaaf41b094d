"""Pools: many engines as one, each queue in one of them, and queues that move between them while they are used."""

from sukkal.pools.definitions import Flavor, Pool
from sukkal.pools.routing import PooledEngine

__all__ = ["Flavor", "Pool", "PooledEngine"]

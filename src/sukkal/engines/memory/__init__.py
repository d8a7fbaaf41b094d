"""The engine in memory: the contract in its plainest form, and what the other engines are compared with."""

from sukkal.engines.memory.engine import MemoryEngine

__all__ = ["MemoryEngine"]

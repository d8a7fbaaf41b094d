"""The engine for many machines: one PostgreSQL database, and as many nodes as there are.

Every acknowledged write has been committed. All writes of a node that wait when a commit ends go into the next one.
"""

from sukkal.engines.postgresql.engine import PostgresqlEngine

__all__ = ["PostgresqlEngine"]

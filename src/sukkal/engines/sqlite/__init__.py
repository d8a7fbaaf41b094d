"""The embedded durable engine: one process, one directory, one SQLite database.

Every acknowledged write has been synced to disk. All writes that wait when a commit ends go into the next one.
"""

from sukkal.engines.sqlite.engine import SqliteEngine

__all__ = ["SqliteEngine"]

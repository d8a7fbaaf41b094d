"""The embedded index: SQLite's full-text search, a file for each project."""

from sukkal.indexes.sqlite_fts.index import SqliteIndex

__all__ = ["SqliteIndex"]

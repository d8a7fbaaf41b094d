"""The index for many machines: tables beside those of the engine, in the same PostgreSQL database."""

from sukkal.indexes.postgresql.index import PostgresqlIndex

__all__ = ["PostgresqlIndex"]

"""The engine's SQL, read from its ``.sql`` files."""

from typing import Final

from sukkal.postgresql import Schema, statements

__all__ = ["SCHEMA", "SQL"]

SCHEMA: Final = Schema("sukkal", __package__)

SQL: Final = statements(__package__, "queries.sql", "records.sql", "subscriptions.sql", "moving.sql", "whole.sql")

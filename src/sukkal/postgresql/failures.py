"""What goes wrong between us and a server, by what it means."""

import asyncio
from typing import Final

import asyncpg

__all__ = ["FAILURES", "PASSING", "UNFIT"]

FAILURES: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    asyncio.TimeoutError,
)
"""What a connection raises. If it is cut at the wrong moment it takes that for a fault of its own."""

PASSING: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.UniqueViolationError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
)
"""Failures that left nothing behind and that the same call need not meet again: two were in each other's way."""
UNFIT: Final = (asyncpg.DataError, asyncpg.ProgramLimitExceededError, ValueError)
"""What is raised for a value that the database cannot hold."""

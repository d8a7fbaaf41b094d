"""What a failure of the server means for a call."""

import asyncio
from typing import Final

import asyncpg

from sukkal.errors import StoreFull, StoreUnavailable, SukkalError

__all__ = ["FAILURES", "PASSING", "UNFIT", "our_error"]

FAILURES: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncio.TimeoutError)
"""What a connection raises."""

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


def our_error(error: BaseException) -> SukkalError:
    """Return the error of ours that tells a caller what a failure of the server means for its request."""
    if isinstance(error, asyncpg.DiskFullError):
        return StoreFull("The store is full; nothing was kept. Free some space, then try again.")
    return StoreUnavailable("The store could not do it. Please try again in a few seconds.")

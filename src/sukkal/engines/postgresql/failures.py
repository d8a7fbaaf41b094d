"""What a failure of the server means for a call."""

import asyncio
from typing import Final

import asyncpg

from sukkal.errors import QueueMoved, StoreFull, StoreUnavailable, SukkalError

__all__ = ["FAILURES", "PASSING", "UNFIT", "is_away", "moved", "our_error"]

FAILURES: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    asyncio.TimeoutError,
)
"""What a connection raises. The internal ones come when it is lost at an unlucky moment."""

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

_MOVED: Final = {"SK001": False, "SK002": True}
"""What the database's functions raise for queues that were moved away, or are held."""


def moved(error: BaseException) -> QueueMoved | None:
    """Return what a caller is told whose queue was moved, if that is what the failure means."""
    held = _MOVED.get(getattr(error, "sqlstate", None) or "")
    if held is None:
        return None
    told = QueueMoved("The queue is being moved." if held else "The queue was moved.")
    told.held = held
    return told


def is_away(error: BaseException) -> bool:
    """Tell whether a failure says that the server is not there, rather than that it refused something."""
    gone = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.ReadOnlySQLTransactionError)
    if isinstance(error, asyncpg.QueryCanceledError):
        return False
    return isinstance(error, gone) or not isinstance(error, asyncpg.PostgresError)


def our_error(error: BaseException) -> SukkalError:
    """Return the error of ours that tells a caller what a failure of the server means for its request."""
    if isinstance(error, asyncpg.DiskFullError):
        return StoreFull("The store is full; nothing was kept. Free some space, then try again.")
    return StoreUnavailable("The store could not do it. Please try again in a few seconds.")

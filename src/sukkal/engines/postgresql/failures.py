"""What a failure of the server means for a call."""

import errno
import os
from typing import Final

import asyncpg

from sukkal.errors import QueueMoved, StoreFull, StoreUnavailable, SukkalError
from sukkal.postgresql import FAILURES, PASSING, UNFIT

__all__ = ["FAILURES", "PASSING", "UNFIT", "is_away", "moved", "our_error"]

_MOVED: Final = {"SK001": False, "SK002": True}
"""What the database's functions raise for queues that were moved away, or are held."""

_NO_ROOM: Final = tuple(os.strerror(number) for number in (errno.EDQUOT, errno.EFBIG))
"""What a quota or a limit on files says. The server has a code of its own only for a disk that is full."""


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
    if _found_no_room(error):
        return StoreFull("The store is full; nothing was kept. Free some space, then try again.")
    return StoreUnavailable("The store could not do it. Please try again in a few seconds.")


def _found_no_room(error: BaseException) -> bool:
    """Tell whether a transaction was rolled back for want of room.

    A server that finds none for its log ends with a worse failure than that, and may have committed before.
    """
    if not isinstance(error, asyncpg.PostgresError) or error.severity_en != "ERROR":
        return False
    return isinstance(error, asyncpg.DiskFullError) or (
        isinstance(error, asyncpg.InternalServerError) and (error.message or "").endswith(_NO_ROOM)
    )

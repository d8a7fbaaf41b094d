"""What a failure of the server means for a call."""

import asyncpg

from sukkal.errors import StoreFull, StoreUnavailable, SukkalError
from sukkal.postgresql import FAILURES, PASSING, UNFIT

__all__ = ["FAILURES", "PASSING", "UNFIT", "our_error"]


def our_error(error: BaseException) -> SukkalError:
    """Return the error of ours that tells a caller what a failure of the server means for its request."""
    if isinstance(error, asyncpg.DiskFullError):
        return StoreFull("The store is full; nothing was kept. Free some space, then try again.")
    return StoreUnavailable("The store could not do it. Please try again in a few seconds.")

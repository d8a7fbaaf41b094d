"""What a failure of the server means for a caller."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from sukkal.errors import InvalidRequest, StartupError, Unavailable
from sukkal.postgresql import FAILURES, UNFIT

__all__ = ["our_errors"]

_log: Final = logging.getLogger("sukkal.search")


@contextmanager
def our_errors(*, searching: bool = False) -> Iterator[None]:
    """Turn errors of the server into ours. What it cannot hold is no failure of it, and is left as it is."""
    try:
        yield
    except UNFIT:
        raise
    except (*FAILURES, StartupError) as error:
        if searching and isinstance(error, asyncpg.QueryCanceledError):
            raise InvalidRequest(
                "The search took too long. Ask for less: rarer words, a type, or a later time in `since`."
            ) from None
        _log.warning("the index cannot be used: %s", str(error) or type(error).__name__)
        raise Unavailable("The index cannot be used now. Please try again in a few seconds.") from error

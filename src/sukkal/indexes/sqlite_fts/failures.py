"""What a failure of the index's database means for a caller."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import apsw

from sukkal.errors import InvalidRequest, Unavailable

__all__ = ["our_errors"]

_log: Final = logging.getLogger("sukkal.search")


@contextmanager
def our_errors(name: str) -> Iterator[None]:
    """Turn errors of the database or the disk into ours; ``name`` is the file that the log is told of."""
    try:
        yield
    except apsw.InterruptError:
        raise InvalidRequest(
            "The search took too long. Ask for less: rarer words, a type, or a later time in `since`."
        ) from None
    except (apsw.CorruptError, apsw.NotADBError) as error:
        _log.error("the index %s is damaged: delete it, it is made anew from what comes (%s)", name, error)
        raise Unavailable("The index is damaged; an operator has to delete it.") from error
    except (apsw.Error, OSError) as error:
        _log.warning("the index %s cannot be used: %s", name, error)
        raise Unavailable("The index cannot be used now. Please try again in a few seconds.") from error

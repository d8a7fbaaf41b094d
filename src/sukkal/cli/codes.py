"""What the exit code of a command says to a script."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sukkal.client import ClientError

__all__ = [
    "AWAY",
    "BROKEN_PIPE",
    "DONE",
    "FAILED",
    "INTERRUPTED",
    "NOT_PERMITTED",
    "NOT_THERE",
    "TERMINATED",
    "USAGE",
    "code_of",
]

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NOT_THERE: Final = 3
NOT_PERMITTED: Final = 4
AWAY: Final = 5
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
TERMINATED: Final = 143

_OF_STATUS: Final = {401: NOT_PERMITTED, 403: NOT_PERMITTED, 404: NOT_THERE, 502: AWAY, 503: AWAY, 504: AWAY}


def code_of(error: "ClientError") -> int:
    """Return the exit code for a request that did not succeed."""
    from sukkal.client import CredentialsRefused, Refused, Unreachable

    match error:
        case Refused():
            return _OF_STATUS.get(error.status, FAILED)
        case CredentialsRefused():
            return NOT_PERMITTED
        case Unreachable():
            return AWAY
        case _:
            return FAILED

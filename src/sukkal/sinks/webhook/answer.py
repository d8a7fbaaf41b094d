"""What a subscriber's status means, after Standard Webhooks 1.0: only 2xx is success, and every failure may pass.

A 4xx is repeated like any other failure: a receiver that is being deployed, or whose credentials are being changed,
says 404, 401 or 403 for a while, and what it missed by then must not be lost.
"""

from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import msgspec

from sukkal import limits
from sukkal.sink import Outcome

__all__ = ["outcome", "retry_after_s"]

_BUSY: Final = frozenset(
    [
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    ]
)


def outcome(status: int, retry_after: str | None, *, now_ms: int) -> Outcome:
    """Return what an answer with this status and this ``Retry-After`` header makes of an attempt."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(delivered=True, status=status)
    failed = Outcome(delivered=False, status=status, error=f"The subscriber answered {status}.")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        error = f"The subscriber answered {status}; redirects are not followed."
        return msgspec.structs.replace(failed, error=error)
    if status == HTTPStatus.GONE:
        return msgspec.structs.replace(failed, gone=True)
    if status in _BUSY and retry_after is not None:
        return msgspec.structs.replace(failed, retry_after_s=retry_after_s(retry_after, now_ms=now_ms))
    return failed


def retry_after_s(text: str, *, now_ms: int) -> int | None:
    """Return the seconds that a ``Retry-After`` header asks for, none if it cannot be read, a bounded number always."""
    if text.isascii() and text.isdigit():
        # Only the first digits count: the number is bounded, and a huge one would be costly to read.
        asked_s = int(text[:10])
    else:
        try:
            asked_s = int(parsedate_to_datetime(text).timestamp()) - now_ms // limits.SECOND_MS
        except (ValueError, OverflowError, OSError):
            return None
    return min(max(asked_s, 0), limits.RETRY_AFTER_S_MAX)

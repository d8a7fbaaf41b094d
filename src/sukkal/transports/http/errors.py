"""How errors look in HTTP: Zaqar's error document."""

from typing import Final

from sukkal.errors import MethodNotAllowed, SukkalError, TooManyRequests, Unauthenticated, Unavailable
from sukkal.transports.http.exchange import Header, Response, json_response
from sukkal.transports.statuses import STATUS

__all__ = ["error_response"]

_RETRY_AFTER: Final[Header] = (b"retry-after", b"1")
_VARY: Final[Header] = (b"vary", b"Accept")


def error_response(error: SukkalError) -> Response:
    """Return the answer that tells a caller of an error."""
    document = {"title": error.title}
    if error.description:
        document["description"] = error.description
    headers: list[Header] = [_VARY, (b"error-code", error.code.encode("ascii"))]
    if isinstance(error, Unavailable):
        headers.append(_RETRY_AFTER)
    if isinstance(error, TooManyRequests):
        headers.append((b"retry-after", str(error.retry_after_s).encode("ascii")))
    if isinstance(error, Unauthenticated):
        headers += [(b"www-authenticate", challenge.encode("latin-1")) for challenge in error.challenges]
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(error.allow).encode("ascii")))
    return json_response(STATUS[error.code], document, *headers)

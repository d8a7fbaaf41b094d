"""How errors look in HTTP: the status of each code, and Zaqar's error document."""

from typing import Final

from sukkal.errors import MethodNotAllowed, SukkalError, TooManyRequests, Unauthenticated, Unavailable
from sukkal.transports.http.exchange import Header, Response, json_response

__all__ = ["STATUS", "error_response"]

STATUS: Final = {
    "internal": 500,
    "bad_request": 400,
    "invalid_request": 400,
    "invalid_body": 400,
    "invalid_parameter": 400,
    "invalid_header": 400,
    "missing_header": 400,
    "missing_project": 400,
    "invalid_name": 400,
    "bad_content_type": 400,
    "bad_claim": 400,
    "not_acceptable": 406,
    "unsupported_media_type": 415,
    "method_not_allowed": 405,
    "unauthenticated": 401,
    "forbidden": 403,
    "message_claimed": 403,
    "not_found": 404,
    "route_not_found": 404,
    "queue_not_found": 404,
    "message_not_found": 404,
    "claim_not_found": 404,
    "subscription_not_found": 404,
    "signed_url_not_found": 404,
    "conflict": 409,
    "subscription_exists": 409,
    "subscription_conflict": 409,
    "signed_url_revoked": 409,
    "metadata_conflict": 409,
    "revision_conflict": 409,
    "idempotency_conflict": 409,
    "too_many_requests": 429,
    "rate_limited": 429,
    "quota_exceeded": 429,
    "unavailable": 503,
    "store_unavailable": 503,
    "store_full": 503,
    "identity_unavailable": 503,
    "key_unavailable": 503,
    "shutting_down": 503,
    "startup": 500,
    "settings": 500,
    "data_in_use": 500,
    "data_too_new": 500,
}
"""Every error code of the project; those of start-up never reach a caller."""

_RETRY_AFTER: Final[Header] = (b"retry-after", b"1")
_VARY: Final[Header] = (b"vary", b"Accept")


def error_response(error: SukkalError) -> Response:
    """Return the answer that tells a caller of an error."""
    document = {"title": error.title}
    if error.description:
        document["description"] = error.description
    headers: list[Header] = [_VARY]
    if isinstance(error, Unavailable):
        headers.append(_RETRY_AFTER)
    if isinstance(error, TooManyRequests):
        headers.append((b"retry-after", str(error.retry_after_s).encode("ascii")))
    if isinstance(error, Unauthenticated):
        headers += [(b"www-authenticate", challenge.encode("latin-1")) for challenge in error.challenges]
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(error.allow).encode("ascii")))
    return json_response(STATUS[error.code], document, *headers)

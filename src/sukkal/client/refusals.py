"""What the service says no with: a class for each error of its table, under the same names."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sukkal.client.errors import Refused

__all__ = [
    "REFUSALS",
    "BadClaim",
    "BadEncoding",
    "BadRequest",
    "CallTimedOut",
    "ClaimNotFound",
    "Conflict",
    "Forbidden",
    "IdempotencyConflict",
    "IdentityUnavailable",
    "Internal",
    "InvalidBody",
    "InvalidEvent",
    "InvalidFilter",
    "InvalidHeader",
    "InvalidName",
    "InvalidParameter",
    "InvalidRequest",
    "KeyUnavailable",
    "MessageClaimed",
    "MessageNotFound",
    "MetadataConflict",
    "MethodNotAllowed",
    "MissingHeader",
    "MissingProject",
    "NotAcceptable",
    "NotFound",
    "QueueMoved",
    "QueueNotFound",
    "QuotaExceeded",
    "RateLimited",
    "RevisionConflict",
    "RouteNotFound",
    "ShuttingDown",
    "SignedUrlNotFound",
    "SignedUrlRevoked",
    "StoreFull",
    "StoreUnavailable",
    "SubscriptionConflict",
    "SubscriptionExists",
    "SubscriptionNotFound",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
    "UnsupportedMediaType",
    "refusal_of",
]


class Internal(Refused):
    """The service has a defect; its log has the reason under ``request_id``."""


class BadRequest(Refused):
    """The request cannot be served as it stands; repeating it unchanged is pointless."""


class InvalidRequest(BadRequest):
    """A value is missing, of the wrong kind or outside its limits."""


class InvalidFilter(InvalidRequest):
    """A filter on events cannot be used."""


class InvalidBody(BadRequest):
    """The body is not the JSON document that the operation takes."""


class InvalidEvent(BadRequest):
    """The event is not a CloudEvent 1.0."""


class InvalidParameter(BadRequest):
    """A query parameter has a value of the wrong kind."""


class InvalidHeader(BadRequest):
    """A header has a value that cannot be read."""


class MissingHeader(BadRequest):
    """A header that every request needs is absent."""


class MissingProject(BadRequest):
    """The request does not say which project it belongs to."""


class InvalidName(BadRequest):
    """A queue name or project id has forbidden characters or is too long."""


class BadEncoding(BadRequest):
    """The body has a content type that the API does not take."""


class BadClaim(BadRequest):
    """The claim named with a deletion does not hold the message."""


class NotAcceptable(BadRequest):
    """The client accepts no media type that the service can answer with."""


class UnsupportedMediaType(BadRequest):
    """The operation takes bodies of another media type."""


class MethodNotAllowed(BadRequest):
    """The path exists, but not with this method."""


class Unauthenticated(Refused):
    """The request does not prove who sends it."""


class Forbidden(Refused):
    """The caller is known and is not allowed to do this."""


class MessageClaimed(Forbidden):
    """The message is held by a live claim that the caller did not name."""


class NotFound(Refused):
    """What the request names does not exist in this project."""


class RouteNotFound(NotFound):
    """The path is not part of the API."""


class QueueNotFound(NotFound):
    """The project has no queue of this name."""


class MessageNotFound(NotFound):
    """The queue has no such message, or it has expired."""


class SubscriptionNotFound(NotFound):
    """The queue has no such subscription, or it has ended."""


class SignedUrlNotFound(NotFound):
    """The queue has no such signed URL, or it has expired."""


class ClaimNotFound(NotFound):
    """The queue has no such claim, or it has ended."""


class Conflict(Refused):
    """The request contradicts the present state."""


class MetadataConflict(Conflict):
    """A metadata change replaces or removes a key that is not there."""


class RevisionConflict(Conflict):
    """The queue's metadata changed between reading and writing it."""


class SubscriptionExists(Conflict):
    """The queue has a live subscription of the same subscriber."""


class SubscriptionConflict(Conflict):
    """The subscriber has another subscription of the queue already."""


class SignedUrlRevoked(Conflict):
    """The very same URL was signed before and has been revoked."""


class IdempotencyConflict(Conflict):
    """The idempotency key was used before with another request."""


class TooManyRequests(Refused):
    """The project asks for more than it may have."""


class RateLimited(TooManyRequests):
    """The project makes more requests in a second than its limit allows."""


class QuotaExceeded(TooManyRequests):
    """The project already has as much as its limit allows."""


class Unavailable(Refused):
    """The service cannot do it now; the same request may succeed in a few seconds."""


class StoreUnavailable(Unavailable):
    """The store did not take or did not give the data. Whether a write happened is unknown."""


class QueueMoved(Unavailable):
    """The queue is being moved to another place. A moment later it is there."""


class StoreFull(Unavailable):
    """The store has no room left; nothing of the request was kept."""


class IdentityUnavailable(Unavailable):
    """Whoever knows the caller's token cannot be asked now."""


class KeyUnavailable(Unavailable):
    """A message is encrypted with a key that the service does not have; an operator has to bring it back."""


class ShuttingDown(Unavailable):
    """The service is stopping and takes no more work."""


class CallTimedOut(Refused):
    """Nobody has replied to the call in time."""


REFUSALS: Final[Mapping[str, type[Refused]]] = MappingProxyType(
    {
        "internal": Internal,
        "bad_request": BadRequest,
        "invalid_request": InvalidRequest,
        "invalid_filter": InvalidFilter,
        "invalid_body": InvalidBody,
        "invalid_event": InvalidEvent,
        "invalid_parameter": InvalidParameter,
        "invalid_header": InvalidHeader,
        "missing_header": MissingHeader,
        "missing_project": MissingProject,
        "invalid_name": InvalidName,
        "bad_content_type": BadEncoding,
        "bad_claim": BadClaim,
        "not_acceptable": NotAcceptable,
        "unsupported_media_type": UnsupportedMediaType,
        "method_not_allowed": MethodNotAllowed,
        "unauthenticated": Unauthenticated,
        "forbidden": Forbidden,
        "message_claimed": MessageClaimed,
        "not_found": NotFound,
        "route_not_found": RouteNotFound,
        "queue_not_found": QueueNotFound,
        "message_not_found": MessageNotFound,
        "subscription_not_found": SubscriptionNotFound,
        "signed_url_not_found": SignedUrlNotFound,
        "claim_not_found": ClaimNotFound,
        "conflict": Conflict,
        "metadata_conflict": MetadataConflict,
        "revision_conflict": RevisionConflict,
        "subscription_exists": SubscriptionExists,
        "subscription_conflict": SubscriptionConflict,
        "signed_url_revoked": SignedUrlRevoked,
        "idempotency_conflict": IdempotencyConflict,
        "too_many_requests": TooManyRequests,
        "rate_limited": RateLimited,
        "quota_exceeded": QuotaExceeded,
        "unavailable": Unavailable,
        "store_unavailable": StoreUnavailable,
        "queue_moved": QueueMoved,
        "store_full": StoreFull,
        "identity_unavailable": IdentityUnavailable,
        "key_unavailable": KeyUnavailable,
        "shutting_down": ShuttingDown,
        "call_timed_out": CallTimedOut,
    }
)
"""The classes by the codes of their errors."""

# For codes of a newer service, and for what answers in its place. A 504 of a proxy is no call without a reply.
_BY_STATUS: Final[Mapping[int, type[Refused]]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    406: NotAcceptable,
    409: Conflict,
    415: UnsupportedMediaType,
    429: TooManyRequests,
    503: Unavailable,
}


def refusal_of(status: int, code: str) -> type[Refused]:
    """Return the class for an answer: that of its code, or else one for its status."""
    return REFUSALS.get(code) or _BY_STATUS.get(status, Refused)

"""All errors of the project, in one tree with stable codes.

``title`` and the message are what a caller reads, in the shape ``{"title", "description"}`` of the Zaqar API. A
message names the field, the limit and what to do. How a code looks in a protocol is that transport's table.
"""

from typing import Any, ClassVar

__all__ = [
    "BadClaim",
    "BadEncoding",
    "BadRequest",
    "CallTimedOut",
    "ClaimNotFound",
    "Conflict",
    "DataInUse",
    "DataTooNew",
    "Forbidden",
    "IdempotencyConflict",
    "IdentityUnavailable",
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
    "SettingsError",
    "ShuttingDown",
    "SignedUrlNotFound",
    "SignedUrlRevoked",
    "StartupError",
    "StoreFull",
    "StoreUnavailable",
    "SubscriptionConflict",
    "SubscriptionExists",
    "SubscriptionNotFound",
    "SukkalError",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
    "UnsupportedMediaType",
]


class SukkalError(Exception):
    """Anything that Sukkal reports on purpose."""

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal server error"

    def __init__(self, description: str | None = None) -> None:
        super().__init__(description or self.title)
        self.description = description


class BadRequest(SukkalError):
    """The request cannot be served as it stands; repeating it unchanged is pointless."""

    code = "bad_request"
    title = "Bad request"


class InvalidRequest(BadRequest):
    """A value is missing, of the wrong kind or outside its limits."""

    code = "invalid_request"
    title = "Invalid API request"


class InvalidFilter(InvalidRequest):
    """A filter on events cannot be used: ``field`` is which, ``at`` the character of its expression, from 1."""

    code = "invalid_filter"
    title = "Invalid filter"

    def __init__(self, field: str, problem: str, at: int | None = None) -> None:
        super().__init__(f"{field}{'' if at is None else f', character {at}'}: {problem}.")
        self.field, self.at = field, at


class InvalidBody(BadRequest):
    """The body is not the JSON document that the operation takes."""

    code = "invalid_body"
    title = "Invalid request body"


class InvalidEvent(BadRequest):
    """The event is not a CloudEvent 1.0; the message names the attribute."""

    code = "invalid_event"
    title = "Invalid event"


class InvalidParameter(BadRequest):
    """A query parameter has a value of the wrong kind."""

    code = "invalid_parameter"
    title = "Invalid parameter"


class InvalidHeader(BadRequest):
    """A header has a value that cannot be read."""

    code = "invalid_header"
    title = "Wrong UUID value"


class MissingHeader(BadRequest):
    """A header that every request needs is absent."""

    code = "missing_header"
    title = "Missing header value"


class MissingProject(BadRequest):
    """The request does not say which project it belongs to."""

    code = "missing_project"
    title = "Project-Id Missing"


class InvalidName(BadRequest):
    """A queue name or project id has forbidden characters or is too long."""

    code = "invalid_name"
    title = "Invalid queue identification"


class BadEncoding(BadRequest):
    """The body has a content type that the API does not take."""

    code = "bad_content_type"
    title = "Invalid Content-Type"


class BadClaim(BadRequest):
    """The claim named with a deletion does not hold the message."""

    code = "bad_claim"
    title = "Unable to delete"


class NotAcceptable(BadRequest):
    """The client accepts no media type that the service can answer with."""

    code = "not_acceptable"
    title = "406 Not Acceptable"


class UnsupportedMediaType(BadRequest):
    """The operation takes bodies of another media type."""

    code = "unsupported_media_type"
    title = "415 Unsupported Media Type"


class MethodNotAllowed(BadRequest):
    """The path exists, but not with this method; ``allow`` lists those it has."""

    code = "method_not_allowed"
    title = "405 Method Not Allowed"

    def __init__(self, allow: tuple[str, ...]) -> None:
        super().__init__()
        self.allow = allow


class Unauthenticated(SukkalError):
    """The request does not prove who sends it; ``challenges`` say how that is done."""

    code = "unauthenticated"
    title = "Unauthorized"

    def __init__(self, description: str, challenges: tuple[str, ...] = ()) -> None:
        super().__init__(description)
        self.challenges = challenges


class Forbidden(SukkalError):
    """The caller is known and is not allowed to do this."""

    code = "forbidden"
    title = "Not authorized"


class MessageClaimed(Forbidden):
    """The message is held by a live claim that the caller did not name."""

    code = "message_claimed"
    title = "Unable to delete"


class NotFound(SukkalError):
    """What the request names does not exist in this project."""

    code = "not_found"
    title = "Not found"


class RouteNotFound(NotFound):
    """The path is not part of the API."""

    code = "route_not_found"
    title = "404 Not Found"


class QueueNotFound(NotFound):
    """The project has no queue of this name."""

    code = "queue_not_found"


class MessageNotFound(NotFound):
    """The queue has no such message, or it has expired."""

    code = "message_not_found"


class SubscriptionNotFound(NotFound):
    """The queue has no such subscription, or it has ended."""

    code = "subscription_not_found"


class SignedUrlNotFound(NotFound):
    """The queue has no such signed URL, or it has expired."""

    code = "signed_url_not_found"


class ClaimNotFound(NotFound):
    """The queue has no such claim, or it has ended."""

    code = "claim_not_found"


class Conflict(SukkalError):
    """The request contradicts the present state."""

    code = "conflict"
    title = "Resource conflict"


class MetadataConflict(Conflict):
    """A metadata change replaces or removes a key that is not there."""

    code = "metadata_conflict"


class RevisionConflict(Conflict):
    """The queue's metadata changed between reading and writing it."""

    code = "revision_conflict"


class SubscriptionExists(Conflict):
    """The queue has a live subscription of the same subscriber: ``existing``."""

    code = "subscription_exists"

    def __init__(self, existing: Any) -> None:
        super().__init__("The queue has a subscription of this subscriber already.")
        self.existing = existing


class SubscriptionConflict(Conflict):
    """The subscriber has another subscription of the queue already."""

    code = "subscription_conflict"


class SignedUrlRevoked(Conflict):
    """The very same URL was signed before and has been revoked."""

    code = "signed_url_revoked"


class IdempotencyConflict(Conflict):
    """The idempotency key was used before with another request."""

    code = "idempotency_conflict"


class TooManyRequests(SukkalError):
    """The project asks for more than it may have; ``retry_after_s`` is when it is worth trying again."""

    code = "too_many_requests"
    title = "Too many requests"

    def __init__(self, description: str, *, retry_after_s: int) -> None:
        super().__init__(description)
        self.retry_after_s = retry_after_s


class RateLimited(TooManyRequests):
    """The project makes more requests in a second than its limit allows."""

    code = "rate_limited"


class QuotaExceeded(TooManyRequests):
    """The project already has as much as its limit allows."""

    code = "quota_exceeded"
    title = "Quota exceeded"


class Unavailable(SukkalError):
    """The service cannot do it now; the same request may succeed in a few seconds."""

    code = "unavailable"
    title = "Service temporarily unavailable"


class StoreUnavailable(Unavailable):
    """The store did not take or did not give the data. Whether a write happened is unknown."""

    code = "store_unavailable"


class QueueMoved(Unavailable):
    """The queue lies in another pool now; or it is ``held`` for a moment while it is moved there."""

    code = "queue_moved"
    held: bool = False


class StoreFull(Unavailable):
    """The store has no room left; nothing of the request was kept."""

    code = "store_full"


class IdentityUnavailable(Unavailable):
    """Whoever knows the caller's token cannot be asked now."""

    code = "identity_unavailable"


class KeyUnavailable(Unavailable):
    """A message is encrypted with a key that the service does not have; an operator has to bring it back."""

    code = "key_unavailable"


class ShuttingDown(Unavailable):
    """The service is stopping and takes no more work."""

    code = "shutting_down"


class CallTimedOut(SukkalError):
    """Nobody has replied to the call in time."""

    code = "call_timed_out"
    title = "No reply"


class StartupError(SukkalError):
    """The service cannot start; the message says what to change."""

    code = "startup"
    title = "Sukkal cannot start"


class SettingsError(StartupError):
    """A setting is unknown, malformed or contradicts another."""

    code = "settings"


class DataInUse(StartupError):
    """Another process has the data directory open."""

    code = "data_in_use"


class DataTooNew(StartupError):
    """The data was written by a newer version."""

    code = "data_too_new"

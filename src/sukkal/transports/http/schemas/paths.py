"""What the paths of operations are made of."""

from typing import Final

from sukkal import limits
from sukkal.transports.http.schemas.shape import Schema

__all__ = ["PATH_PARAMETERS"]

_NAME: Final[Schema] = {
    "type": "string",
    "pattern": "^[a-zA-Z0-9_.-]+$",
    "maxLength": limits.QUEUE_NAME_CHARS_MAX,
}
_ID: Final[Schema] = {"type": "string", "minLength": 1}

PATH_PARAMETERS: Final[dict[str, Schema]] = {
    "queue_name": _NAME,
    "message_id": _ID,
    "claim_id": _ID,
    "subscription_id": _ID,
    "listener_id": _ID,
    "signed_url_id": _ID,
    "search_name": _NAME,
    "pool_name": _NAME,
    "flavor_name": _NAME,
    "project_id": {"type": "string", "minLength": 1, "maxLength": limits.PROJECT_CHARS_MAX},
}
"""The schema of each parameter."""

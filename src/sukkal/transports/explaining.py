"""The question why, which both transports ask in the same words."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sukkal.errors import InvalidRequest
from sukkal.model import QueueKey
from sukkal.service.explanations import Explanations

__all__ = ["explained"]


async def explained(
    explanations: Explanations,
    key: QueueKey,
    asked: Mapping[str, Any],
    *,
    dry_run: int | None,
    marker: str | None,
    limit: int | None,
) -> dict[str, Any]:
    """Return the answer to a question; ``body`` in it is JSON text. Raises ``InvalidRequest`` and ``InvalidFilter``."""
    if dry_run is not None:
        tried = await explanations.dry_run(key, asked.get("filters"), dry_run)
        return msgspec.structs.asdict(tried)
    body, message_id = asked.get("body"), asked.get("message_id")
    if body is not None and message_id is None:
        found = await explanations.of_body(key, bytes(body), marker=marker or "", limit=limit)
    elif body is None and isinstance(message_id, str):
        found = await explanations.of_message(key, message_id, marker=marker or "", limit=limit)
    else:
        raise InvalidRequest("Explained is one message: give its body, or the message_id of one that is stored.")
    return msgspec.structs.asdict(found)

"""Acts of publishing that had a name."""

import apsw
import msgspec

from sukkal.engines.sqlite.statements import SQL
from sukkal.errors import IdempotencyConflict
from sukkal.model import Once

__all__ = ["earlier"]


def earlier(connection: apsw.Connection, queue: int, once: Once, now_ms: int) -> tuple[tuple[str, ...], ...] | None:
    """Return the ids of an earlier post under the same key, if there was one. Raises ``IdempotencyConflict``."""
    for fingerprint, ids in connection.execute(SQL.once, (queue, once.key, now_ms)):
        if fingerprint != once.fingerprint:
            raise IdempotencyConflict(
                "The idempotency key was used before with another request. Use a new key for a new request."
            )
        return msgspec.json.decode(ids, type=tuple[tuple[str, ...], ...])
    return None

"""Acts of publishing that had a name."""

from collections.abc import Sequence

import msgspec

from sukkal.engines.postgresql.reads import Reads
from sukkal.engines.postgresql.statements import SQL
from sukkal.errors import IdempotencyConflict
from sukkal.model import Once, QueueKey

__all__ = ["conflict", "earlier", "ids_of"]


def conflict() -> IdempotencyConflict:
    """Return what a caller is told whose act had another fingerprint."""
    return IdempotencyConflict(
        "The idempotency key was used before with another request. Use a new key for a new request."
    )


def ids_of(encoded: bytes) -> tuple[tuple[str, ...], ...]:
    """Return the ids that are remembered of an act."""
    return msgspec.json.decode(encoded, type=tuple[tuple[str, ...], ...])


async def earlier(reads: Reads, key: QueueKey, acts: Sequence[Once], *, now_ms: int) -> dict[str, tuple[str, ...]]:
    """Return the ids of earlier posts."""
    rows = await reads.fetch(SQL.earlier, key.project, key.kind, key.name, [act.key for act in acts], now_ms)
    found: dict[str, tuple[str, ...]] = {}
    for nth, fingerprint, ids in rows:
        act = acts[nth - 1]
        if fingerprint != act.fingerprint:
            raise conflict()
        found[act.key] = ids_of(ids)[0]
    return found

"""The contract for repetitions: which acts of publishing there were. The laws are those of ``sukkal.store``."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sukkal.model import Once, QueueKey

__all__ = ["Repetitions"]


class Repetitions(Protocol):
    """What is remembered of acts of publishing that had a name."""

    async def earlier(self, key: QueueKey, acts: Sequence[Once], *, now_ms: int) -> Mapping[str, tuple[str, ...]]:
        """Return the ids that messages of the queue got by those of the acts that there were, by the acts' keys.

        Raises ``IdempotencyConflict`` for one that had another fingerprint.
        """

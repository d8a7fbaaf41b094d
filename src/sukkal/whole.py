"""The contract for a store as a whole, as it is carried into another one or into a file.

What a queue holds is given and taken by the calls of ``sukkal.moving``; here is what a store keeps besides, and what
there is in it at all. Nobody serves a store that is carried away, unless the source is a picture of it that does not
change any more, and nobody serves the target. The laws are those of ``sukkal.store``.
"""

from collections.abc import Sequence
from typing import Protocol

from sukkal.model import QueueKey, Record, RecordKey
from sukkal.moving import Details, Frame, Moving, Stored
from sukkal.records import Records

__all__ = ["Source", "Target", "Whole"]


class Whole(Protocol):
    """What there is in a store."""

    async def last_number(self) -> int:
        """Return a number that is not less than any that the engine has given."""

    async def all_queues(self, after: QueueKey | None, *, limit: int) -> tuple[QueueKey, ...]:
        """Return up to ``limit`` queues of all projects and kinds by (project, kind, name); fewer are the last ones."""

    async def all_records(self, after: RecordKey | None, *, limit: int, now_ms: int) -> tuple[Record, ...]:
        """Return up to ``limit`` live records of all kinds by (kind, project, name); fewer are the last ones."""


class Source(Whole, Protocol):
    """A store that gives all that it has. The calls on a queue are those of ``sukkal.moving``."""

    async def frame(self, key: QueueKey) -> Frame | None:
        """Return a queue without what it holds, or ``None``."""

    async def stored_after(self, key: QueueKey, sequence: int, *, limit: int, now_ms: int) -> tuple[Stored, ...]:
        """Return up to ``limit`` messages behind a sequence; fewer are the last ones."""

    async def details(self, key: QueueKey, after: tuple[str, str], *, limit: int, now_ms: int) -> Details:
        """Return up to ``limit`` claims, acts and subscriptions behind a place, ``("", "")`` to begin."""


class Target(Moving, Records, Whole, Protocol):
    """A store that takes all that another one had."""

    async def begin_behind(self, last: int) -> None:
        """Give only numbers greater than ``last`` from now on.

        Whoever comes with a place up to there is told that something is missing, also in a queue that is not there.
        """

    async def bring_records(self, records: Sequence[Record]) -> None:
        """Keep records as they were elsewhere, in the place of those with the same keys."""

"""What became of everything that was to be brought."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Problem", "QueueReport", "Report"]


@dataclass(frozen=True)
class Problem:
    """Something that was not brought, and why."""

    what: str
    reason: str


@dataclass
class QueueReport:
    """What became of one queue.

    ``messages`` and ``subscriptions`` are those that were brought, ``present`` those that were there already, ``held``
    the messages that somebody has claimed or that are delayed, ``expired`` those of either kind whose life was over,
    ``unseen`` how many messages more the source counts than it shows.
    """

    project: str
    queue: str
    messages: int = 0
    subscriptions: int = 0
    present: int = 0
    held: int = 0
    expired: int = 0
    unseen: int = 0
    remarks: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Tell whether everything that can be brought is there."""
        return not self.problems and not self.held

    def fail(self, what: str, reason: object) -> None:
        """Note something that was not brought."""
        self.problems.append(Problem(what, str(reason)))


@dataclass
class Report:
    """What became of all of it."""

    queues: list[QueueReport] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Tell whether everything that can be brought is there."""
        return all(queue.complete for queue in self.queues)

    def sorted(self) -> Sequence[QueueReport]:
        """Return the queues in order."""
        return sorted(self.queues, key=lambda each: (each.project, each.queue))

    def documents(self) -> Iterator[dict[str, Any]]:
        """Yield it as JSON has it, queue by queue."""
        for queue in self.sorted():
            yield asdict(queue)

"""What was posted to a queue, taken from it, and heard by those who listen: the log that its checker judges."""

from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple, Self

__all__ = ["Listened", "Place", "Popped", "Posted", "Session", "Watched"]


class Place(NamedTuple):
    """A position as it is written: the contents of the queue, and the number in them."""

    epoch: int
    sequence: int

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a position."""
        epoch, _, sequence = text.partition(".")
        return cls(int(epoch), int(sequence))


@dataclass
class Posted:
    """Messages that were posted together, perhaps by several attempts with one idempotency key.

    They were stored between the start of the first attempt and the first answer, which may never have come.
    """

    tokens: tuple[str, ...]
    start_s: float
    end_s: float = inf

    @property
    def done(self) -> bool:
        """Whether it was acknowledged."""
        return self.end_s < inf


@dataclass(frozen=True)
class Popped:
    """Messages that were taken; of a pop that was not answered nobody knows which."""

    tokens: tuple[str, ...]
    start_s: float
    answered: bool = True


@dataclass
class Session:
    """What a listener was told from one coming to its next: first the answer, then messages with their positions."""

    since: Place | None
    place: Place
    recovered: bool | None
    start_s: float
    end_s: float
    heard: list[tuple[str, Place]] = field(default_factory=list)

    @property
    def last(self) -> Place:
        """From where its listener goes on."""
        return self.heard[-1][1] if self.heard else self.place


@dataclass
class Listened:
    """All that one listener was told."""

    name: str
    sessions: list[Session] = field(default_factory=list)

    @property
    def last(self) -> Place | None:
        """From where it goes on; ``None`` before it was first told anything."""
        return self.sessions[-1].last if self.sessions else None


@dataclass
class Watched:
    """Everything that concerned one queue. All listeners listened until everything was posted and heard."""

    queue: str
    history: bool
    posts: list[Posted] = field(default_factory=list)
    pops: list[Popped] = field(default_factory=list)
    listeners: list[Listened] = field(default_factory=list)

"""What clients did to a service and what they were told: the log that the checker judges."""

from dataclasses import dataclass
from enum import Enum

__all__ = ["Event", "Kind", "Outcome", "Seen"]


class Kind(Enum):
    """What a request was for. A *view* is a listing of a whole queue at a moment when nothing else ran."""

    POST = "post"
    CLAIM = "claim"
    RELEASE = "release"
    DELETE = "delete"
    POP = "pop"
    VIEW = "view"


class Outcome(Enum):
    """What the client knows: it was done, it was refused and had no effect, or the answer never came."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Seen:
    """A message in a request or in its answer.

    ``token`` stands in the message's body and is its client's own name for it, so that it can be told who posted a
    message whose post was never answered. ``id`` is the service's name, ``claim`` the claim that a view shows as its
    holder; both are empty where they are not known.
    """

    token: str
    id: str = ""
    claim: str = ""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One request, from before it was sent until after its answer was read or its connection had died.

    ``claim`` is the claim that it made, ended, or acted under, ``lease_s`` the length of a claim. A release that names
    no messages ends the whole claim. ``count`` is how many messages a pop asked for. ``repeated`` marks a post that
    the service recognised as the repetition of an earlier one.
    """

    kind: Kind
    queue: str
    start_s: float
    end_s: float
    outcome: Outcome = Outcome.DONE
    messages: tuple[Seen, ...] = ()
    claim: str = ""
    lease_s: float = 0
    count: int = 0
    repeated: bool = False

    @property
    def done(self) -> bool:
        """Whether it was acknowledged."""
        return self.outcome is Outcome.DONE

    @property
    def unknown(self) -> bool:
        """Whether its answer never came."""
        return self.outcome is Outcome.UNKNOWN

    @property
    def tokens(self) -> frozenset[str]:
        """The messages it names, as their clients name them."""
        return frozenset(seen.token for seen in self.messages)

"""What an operation is."""

from typing import Final, Literal

import msgspec

from sukkal.model import QueueKey

__all__ = ["BOTH", "CLAIMS", "MESSAGES", "QUEUE", "SUBSCRIPTION", "SUBSCRIPTIONS", "Operation", "Version", "path_of"]

Version = Literal["v1.1", "v2"]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

BOTH: Final[tuple[Version, ...]] = ("v1.1", "v2")

QUEUE: Final = "/queues/{queue_name}"
MESSAGES: Final = QUEUE + "/messages"
CLAIMS: Final = QUEUE + "/claims"
SUBSCRIPTIONS: Final = QUEUE + "/subscriptions"
SUBSCRIPTION: Final = SUBSCRIPTIONS + "/{subscription_id}"

_V2: Final[tuple[Version, ...]] = ("v2",)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a caller can ask for.

    ``path`` is that below the version, with parameters in braces. ``action`` names it on a WebSocket, ``policy`` the
    rule that allows it; both are ``None`` where there is none. ``other_actions`` ask for the same in another way. With
    ``topics`` it is also served for topics, under ``/topics`` instead of ``/queues``. An operation with ``any_body``
    takes JSON whatever its Content-Type says; one that ``streams`` answers with events, not with JSON. Of a caller that
    may be ``nameless`` a client id is not asked.
    """

    name: str
    method: Method
    path: str
    summary: str
    policy: str | None
    action: str | None = None
    other_actions: tuple[str, ...] = ()
    versions: tuple[Version, ...] = _V2
    topics: bool = False
    any_body: bool = False
    streams: bool = False
    nameless: bool = False

    def rule(self, *, topics: bool) -> str | None:
        """Return the policy rule, which for topics themselves is one of their own."""
        return self.policy.replace("queues:", "topics:", 1) if topics and self.policy else self.policy


def path_of(key: QueueKey, kind: str) -> str:
    """Return the path of all messages, claims or subscriptions of a queue."""
    return f"/v2/queues/{key.name}/{kind}"

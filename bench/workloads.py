"""What the cases need on the server, before and between the measurements, and what their connections do."""

from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice
from typing import Final, Protocol

import msgspec

from bench.load import Address, Script, perform
from bench.scripts import CLAIMED_AT_ONCE, ClaimAndDelete, Claimed, ClaimOnly, PostAndClaim, Repeat, queue_path
from bench.wire import request, require, status_line

__all__ = [
    "MESSAGE",
    "Claiming",
    "ClaimingOnly",
    "Getting",
    "Listing",
    "Mixed",
    "NoOp",
    "Posting",
    "PostingAndClaiming",
    "Workload",
    "delete_queues",
    "fill",
    "post",
    "queues_of",
]

MESSAGE: Final = {
    "body": {"event": "compute.instance.create.end", "instance": "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52", "n": 12345},
    "ttl": 3_600,
}
"""The message of all cases; its body is a JSON text of about 100 bytes."""

QUEUES: Final = 16

_MESSAGES_PER_FILL: Final = 250
_IDS_PER_DELETE: Final = 20
_PAGE: Final = 20
_LISTED: Final = 100
_GOT: Final = 1_000
_BODY_BYTES: Final = len(msgspec.json.encode(MESSAGE["body"]))


class Workload(Protocol):
    """A case's data and scripts. ``prepare`` comes first; ``tidy`` stands between two rounds; neither is timed."""

    @property
    def queues(self) -> Sequence[str]:
        """The queues that the case uses, which are no other case's."""

    def prepare(self, address: Address) -> None:
        """Put in place what the measurements need."""

    def script(self, number: int) -> Script:
        """Return what the connection with this number does."""

    def tidy(self, address: Address) -> None:
        """Undo what a measurement has done, as far as it could slow another one."""


def queues_of(name: str, count: int = QUEUES) -> list[str]:
    """Return the queues of a case, which are no other case's."""
    return [f"{name}-{number}" for number in range(count)]


def fill(address: Address, queues: Sequence[str], total: int, *, token: str = "") -> list[str]:
    """Post messages, spread over the queues, and return their ids."""
    ids: list[str] = []
    created = status_line(201)

    def check(answer: bytes, body_at: int) -> None:
        require(answer, created)
        resources: list[str] = msgspec.json.decode(answer[body_at:])["resources"]
        ids.extend(resource.rpartition("/")[2] for resource in resources)

    sizes = [_MESSAGES_PER_FILL] * (total // _MESSAGES_PER_FILL)
    if rest := total % _MESSAGES_PER_FILL:
        sizes.append(rest)
    posts = [post(queue, size, token=token) for queue, size in zip(cycle(queues), sizes, strict=False)]
    perform(address, posts, check)
    return ids


def post(queue: str, messages: int = 1, *, token: str = "") -> bytes:
    """Return the request that posts so many messages to a queue."""
    return request("POST", f"{queue_path(queue)}/messages", {"messages": [MESSAGE] * messages}, token=token)


def delete_queues(address: Address, queues: Iterable[str], *, token: str = "") -> None:
    """Delete queues with all that is in them."""
    _perform_deletions(address, [queue_path(queue) for queue in queues], token=token)


def _delete_claimed(address: Address, claimed: Claimed) -> None:
    by_queue: dict[str, list[str]] = {}
    for queue, ids in claimed:
        by_queue.setdefault(queue, []).extend(ids)
    _perform_deletions(
        address,
        [
            f"{queue_path(queue)}/messages?ids={','.join(ids[at : at + _IDS_PER_DELETE])}"
            for queue, ids in by_queue.items()
            for at in range(0, len(ids), _IDS_PER_DELETE)
        ],
    )


def _perform_deletions(address: Address, targets: Sequence[str], *, token: str = "") -> None:
    gone = status_line(204)
    requests = [request("DELETE", target, token=token) for target in targets]
    perform(address, requests, lambda answer, _: require(answer, gone))


class NoOp:
    """Posts to a server that stores nothing."""

    queues: Sequence[str] = ()

    def prepare(self, address: Address) -> None:
        """Need nothing."""

    def script(self, number: int) -> Script:
        """Return the script of one connection."""
        return Repeat([post("post1")], 201)

    def tidy(self, address: Address) -> None:
        """Leave nothing."""


class Posting:
    """Each connection posts to the queues in turn. The queues are deleted after each round."""

    def __init__(self, name: str, messages: int, *, token: str = "") -> None:
        self.queues = queues_of(name)
        self._token = token
        self._requests = [post(queue, messages, token=token) for queue in self.queues]

    def prepare(self, address: Address) -> None:
        """Need nothing: a queue comes with its first message."""

    def script(self, number: int) -> Script:
        """Return the script of one connection."""
        return Repeat(self._requests, 201, start=number)

    def tidy(self, address: Address) -> None:
        """Begin with empty queues again."""
        delete_queues(address, self.queues, token=self._token)


class Claiming:
    """Each connection claims ten messages of a deep queue and deletes them, again and again."""

    def __init__(self, name: str, depth: int, *, queues: int = 1) -> None:
        self.queues = queues_of(name, queues)
        self._depth = depth
        self._claims = 0

    def prepare(self, address: Address) -> None:
        """Fill the queues."""
        fill(address, self.queues, self._depth)

    def script(self, number: int) -> Script:
        """Return the script of one connection."""
        return ClaimAndDelete(self.queues, start=number, claimed=self._count)

    def tidy(self, address: Address) -> None:
        """Post as many messages as were taken."""
        fill(address, self.queues, self._claims * CLAIMED_AT_ONCE)
        self._claims = 0

    def _count(self, queue: str) -> None:
        self._claims += 1


class Mixed:
    """Every other connection posts, the others claim and delete, all on the same queues, which are deep."""

    def __init__(self, name: str, depth: int) -> None:
        self._claiming = Claiming(name, depth, queues=QUEUES)
        self._posting = Posting(name, 1)
        self.queues = self._posting.queues

    def prepare(self, address: Address) -> None:
        """Fill the queues."""
        self._claiming.prepare(address)

    def script(self, number: int) -> Script:
        """Return the script of one connection."""
        return (self._posting if number % 2 else self._claiming).script(number // 2)

    def tidy(self, address: Address) -> None:
        """Post as many messages as were taken; those that were posted stay."""
        self._claiming.tidy(address)


class Listing:
    """Each connection reads the first page of the queues in turn."""

    def __init__(self, queues: Sequence[str], *, token: str = "") -> None:
        self.queues = queues
        self._token = token
        self._requests = [
            request("GET", f"{queue_path(queue)}/messages?limit={_PAGE}&echo=true", token=token)
            for queue in self.queues
        ]

    def prepare(self, address: Address) -> None:
        """Fill the queues with enough for a page."""
        for queue in self.queues:
            fill(address, [queue], _LISTED, token=self._token)

    def script(self, number: int) -> Script:
        """Return the script of one connection."""
        return Repeat(self._requests, 200, start=number, body_bytes_min=_PAGE * _BODY_BYTES)

    def tidy(self, address: Address) -> None:
        """Leave all as it is: nothing was changed."""


class Getting:
    """Each connection gets the messages of a queue in turn, one by one."""

    def __init__(self, name: str) -> None:
        self.queues = queues_of(name, 1)
        self._requests: list[bytes] = []

    def prepare(self, address: Address) -> None:
        """Post the messages and remember their ids."""
        ids = fill(address, self.queues, _GOT)
        self._requests = [request("GET", f"{queue_path(self.queues[0])}/messages/{id_}") for id_ in ids]

    def script(self, number: int) -> Script:
        """Return the script of one connection."""
        return Repeat(self._requests, 200, start=number * 61, body_bytes_min=_BODY_BYTES)

    def tidy(self, address: Address) -> None:
        """Leave all as it is: nothing was changed."""


class ClaimingOnly:
    """Each connection claims ten messages of one queue, again and again; they are deleted after the round."""

    def __init__(self, queue: str, depth: int) -> None:
        self.queues = [queue]
        self._depth = depth
        self._claimed: Claimed = []

    def prepare(self, address: Address) -> None:
        """Post free messages behind whatever is in the queue."""
        fill(address, self.queues, self._depth)

    def script(self, number: int) -> Script:
        """Return the script of one connection."""
        return ClaimOnly(self.queues[0], self._claimed)

    def tidy(self, address: Address) -> None:
        """Delete what was claimed and post as many messages anew."""
        _delete_claimed(address, self._claimed)
        fill(address, self.queues, len(self._claimed) * CLAIMED_AT_ONCE)
        self._claimed.clear()


class PostingAndClaiming:
    """Each connection posts a message to one of many queues and claims one there, then goes on to another queue."""

    def __init__(self, queues: Sequence[str], shuffled: Callable[[Sequence[str]], list[str]]) -> None:
        self.queues = shuffled(queues)
        self._next = 0
        self._claimed: Claimed = []

    def prepare(self, address: Address) -> None:
        """Need nothing: the queues are there."""

    def script(self, number: int) -> Script:
        """Return the script of one connection: each begins somewhere else, and in no round where it has been before."""
        self._next = (self._next + 997) % len(self.queues)
        queues = [*islice(self.queues, self._next, None), *islice(self.queues, self._next)]
        return PostAndClaim(queues, MESSAGE, self._claimed)

    def tidy(self, address: Address) -> None:
        """Delete what was claimed."""
        _delete_claimed(address, self._claimed)
        self._claimed.clear()

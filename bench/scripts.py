"""What a connection does over and over in each of the cases."""

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Final

from bench.wire import QueueRanDry, UnexpectedAnswer, message_ids, request, require, status_line

__all__ = [
    "CLAIMED_AT_ONCE",
    "ClaimAndDelete",
    "ClaimOnly",
    "Claimed",
    "PostAndClaim",
    "Repeat",
    "claim_of",
    "queue_path",
]

CLAIMED_AT_ONCE: Final = 10

_LEASE: Final = {"ttl": 3_600, "grace": 60}
_CREATED: Final = status_line(201)
_NO_CONTENT: Final = status_line(204)

Claimed = list[tuple[str, list[str]]]
"""Ids of claimed messages and the queue they are in."""


def queue_path(queue: str) -> str:
    """Return the path of a queue."""
    return f"/v2/queues/{queue}"


def claim_of(queue: str, limit: int = CLAIMED_AT_ONCE) -> bytes:
    """Return a request that claims messages."""
    return request("POST", f"{queue_path(queue)}/claims?limit={limit}", _LEASE)


class Repeat:
    """Sends requests in a circle. An answer with a body of fewer bytes than ``body_bytes_min`` is a wrong one."""

    def __init__(self, requests: Sequence[bytes], status: int, *, start: int = 0, body_bytes_min: int = 0) -> None:
        start %= len(requests)
        self._requests = cycle([*requests[start:], *requests[:start]])
        self._beginning = status_line(status)
        self._body_bytes_min = body_bytes_min

    def first(self) -> bytes:
        """Return the first request."""
        return next(self._requests)

    def next(self, answer: bytes, body_at: int) -> bytes:
        """Return the next request of the circle."""
        if not answer.startswith(self._beginning):
            require(answer, self._beginning)
        if len(answer) - body_at < self._body_bytes_min:
            raise UnexpectedAnswer(answer, f"a body of at least {self._body_bytes_min} bytes")
        return next(self._requests)


class ClaimAndDelete:
    """Claims messages, deletes them by their ids, and goes on to the next queue of the circle."""

    def __init__(self, queues: Sequence[str], *, start: int = 0, claimed: Callable[[str], None]) -> None:
        start %= len(queues)
        self._queues = cycle([(queue, claim_of(queue)) for queue in (*queues[start:], *queues[:start])])
        self._queue, self._claim = next(self._queues)
        self._claimed = claimed
        self._deleting = False

    def first(self) -> bytes:
        """Return the first claim."""
        return self._claim

    def next(self, answer: bytes, body_at: int) -> bytes:
        """Return a deletion after a claim, and a claim after a deletion."""
        if self._deleting:
            require(answer, _NO_CONTENT)
            self._deleting = False
            self._queue, self._claim = next(self._queues)
            return self._claim
        ids = _claimed_ids(answer, body_at, CLAIMED_AT_ONCE)
        self._claimed(self._queue)
        self._deleting = True
        return request("DELETE", f"{queue_path(self._queue)}/messages?ids={','.join(ids)}")


class ClaimOnly:
    """Claims messages of one queue and remembers them."""

    def __init__(self, queue: str, claimed: Claimed) -> None:
        self._queue = queue
        self._claim = claim_of(queue)
        self._claimed = claimed

    def first(self) -> bytes:
        """Return the first claim."""
        return self._claim

    def next(self, answer: bytes, body_at: int) -> bytes:
        """Return the next claim."""
        self._claimed.append((self._queue, _claimed_ids(answer, body_at, CLAIMED_AT_ONCE)))
        return self._claim


class PostAndClaim:
    """Posts one message to a queue, claims one there, remembers it, and goes on to the next queue of the circle."""

    def __init__(self, queues: Sequence[str], message: object, claimed: Claimed) -> None:
        self._queues = cycle(queues)
        self._queue = next(self._queues)
        self._document = {"messages": [message]}
        self._claimed = claimed
        self._claiming = False

    def first(self) -> bytes:
        """Return the first post."""
        return self._post()

    def next(self, answer: bytes, body_at: int) -> bytes:
        """Return a claim after a post, and a post after a claim."""
        if not self._claiming:
            require(answer, _CREATED)
            self._claiming = True
            return claim_of(self._queue, 1)
        self._claimed.append((self._queue, _claimed_ids(answer, body_at, 1)))
        self._claiming = False
        self._queue = next(self._queues)
        return self._post()

    def _post(self) -> bytes:
        return request("POST", f"{queue_path(self._queue)}/messages", self._document)


def _claimed_ids(answer: bytes, body_at: int, wanted: int) -> list[str]:
    if answer.startswith(_NO_CONTENT):
        raise QueueRanDry("A claim found nothing. Give more messages with --depth.")
    require(answer, _CREATED)
    ids = message_ids(answer, body_at)
    if len(ids) < wanted:
        raise QueueRanDry(f"A claim found {len(ids)} of {wanted} messages. Give more with --depth.")
    return ids

"""Handing over: what was posted reaches those who listen, so much of it in a turn of the event loop and no more.

What is little is heard at once. The rest waits, by queue and in the order of posting, and is told in slices; between
two of them everybody else is served. Projects take turns, and so do the queues of a project: nobody's listeners wait
for all of what another project has to tell.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, Generic, Protocol, TypeVar

from sukkal import limits
from sukkal.model import QueueKey

__all__ = ["HandingOver", "Hearer", "Told"]

_log: Final = logging.getLogger("sukkal.listening")

_TOO_MUCH: Final = "More was posted than could be told in time. Come back to hear the rest."
# What a message and a place in a list take beside the body.
_MESSAGE_BYTES: Final = 512
_HEARER_BYTES: Final = 8


class Told(Protocol):
    """A message that is told."""

    body: bytes


T = TypeVar("T", bound=Told)
T_contra = TypeVar("T_contra", bound=Told, contravariant=True)


class Hearer(Protocol[T_contra]):
    """Somebody who is told messages, and nothing any more once it has ``ended``."""

    ended: bool

    def tell(self, heard: T_contra, /) -> None:
        """Hear a message; it never waits."""

    def cost(self, heard: T_contra, /) -> int:
        """Return what telling it a message costs besides the telling itself: its filters may have to look."""

    def end(self, reason: str) -> None:
        """Say that no more will come."""


class _Post(Generic[T]):
    """Messages that were posted together, on their way to those who listened then."""

    def __init__(self, hearers: Sequence[Hearer[T]], messages: Sequence[T]) -> None:
        self.bytes = sum(len(each.body) + _MESSAGE_BYTES for each in messages) + _HEARER_BYTES * len(hearers)
        self.done = False
        self._tellings = _tellings(hearers, messages)

    def tell(self, most: int) -> int:
        """Tell about so much, and return how much of it was spent."""
        spent = 0
        for cost in self._tellings:
            spent += cost
            if spent >= most:
                return spent
        self.done = True
        return spent


class _Share(Generic[T]):
    """What waits of one project: posts by queue, in the order of the queues' turns."""

    def __init__(self) -> None:
        self.bytes = 0
        self.posts: dict[QueueKey, deque[_Post[T]]] = {}
        self.eased = asyncio.Event()

    def add(self, key: QueueKey, post: _Post[T]) -> None:
        self.posts.setdefault(key, deque()).append(post)
        self._count(post.bytes)

    def drop(self, key: QueueKey) -> None:
        for post in self.posts.pop(key, ()):
            self._count(-post.bytes)

    def tell(self, most: int) -> int:
        """Let the next queue have its turn, and return how much of it was spent."""
        key = next(iter(self.posts))
        posts = self.posts.pop(key)
        spent = posts[0].tell(most)
        if posts[0].done:
            self._count(-posts.popleft().bytes)
        if posts:
            self.posts[key] = posts
        return spent

    def _count(self, size: int) -> None:
        self.bytes += size
        if self.bytes > limits.TELLINGS_EASED_BYTES:
            self.eased.clear()
        else:
            self.eased.set()


class HandingOver(Generic[T]):
    """Tells posts to those who listen. It is used on one event loop."""

    def __init__(self) -> None:
        self._shares: dict[str, _Share[T]] = {}
        self._at_once = limits.TELLINGS_PER_TURN
        self._scheduled = False

    @property
    def waiting_bytes(self) -> int:
        """About how much memory is taken by what waits."""
        return sum(share.bytes for share in self._shares.values())

    def give(self, key: QueueKey, hearers: Sequence[Hearer[T]], messages: Sequence[T]) -> None:
        """Tell messages to all who listen to a queue, at once or after what waits for them.

        Where too much waits already, they are sent away.
        """
        post, share = _Post(hearers, messages), self._shares.get(key.project)
        if (share is None or key not in share.posts) and self._at_once > 0:
            self._at_once -= post.tell(self._at_once)
        self._go_on()
        if post.done:
            return
        if share is None:
            share = self._shares[key.project] = _Share()
        elif share.bytes > limits.TELLINGS_WAITING_BYTES_MAX:
            share.drop(key)
            for hearer in hearers:
                hearer.end(_TOO_MUCH)
            return
        share.add(key, post)

    async def eased(self, key: QueueKey) -> None:
        """Wait until what waits of the queue's project leaves room for more."""
        share = self._shares.get(key.project)
        if share is not None and share.posts:
            await share.eased.wait()

    def _go_on(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        self._at_once = left = limits.TELLINGS_PER_TURN
        while self._shares and left > 0:
            project = next(iter(self._shares))
            share = self._shares.pop(project)
            if share.posts:
                left -= share.tell(left)
            if share.posts:
                self._shares[project] = share
        if self._shares:
            self._go_on()


def _tellings(hearers: Sequence[Hearer[T]], messages: Sequence[T]) -> Iterator[int]:
    """Tell all messages to one after the other, a message at each step, and yield what the step has cost."""
    steps = [(each, 1 + len(each.body) // limits.TELLING_BYTES) for each in messages]
    for hearer in hearers:
        for message, cost in steps:
            if hearer.ended:
                break
            more = hearer.cost(message)
            try:
                hearer.tell(message)
            except Exception:  # noqa: BLE001 - a defect at one listener is nothing to the others, nor to who posts
                _log.exception("a listener failed")
                hearer.end("The service failed. Its log says why.")
            yield cost + more
        else:
            continue
        yield 1

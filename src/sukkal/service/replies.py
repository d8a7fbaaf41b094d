"""Replies on their way to those who have called and wait."""

from collections.abc import Iterator
from contextlib import contextmanager

from sukkal.model import QueueKey
from sukkal.service.waiting import Waiting

__all__ = ["Replies", "Reply"]


class Reply:
    """A reply that is expected; ``body`` is ``None`` until it comes."""

    def __init__(self) -> None:
        self.body: bytes | None = None


class Replies:
    """The replies that this process expects, by the queue to which they are posted and what tells them apart."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._expected: dict[QueueKey, Reply] = {}

    @contextmanager
    def expected(self, key: QueueKey, correlation_id: str) -> Iterator[Reply]:
        """Take the first such reply while somebody waits for it."""
        place = _place(key, correlation_id)
        reply = self._expected[place] = Reply()
        try:
            yield reply
        finally:
            del self._expected[place]

    async def wait(self, key: QueueKey, correlation_id: str, reply: Reply, *, wait_s: int) -> bytes | None:
        """Return the body of a reply when it comes, ``None`` when the time is over."""

        async def look() -> bytes | None:
            return reply.body

        return await self._waiting.until(_place(key, correlation_id), look, wait_s=wait_s, takes=False)

    def expects(self, key: QueueKey, correlation_id: str) -> bool:
        """Tell whether somebody here expects a reply."""
        return _place(key, correlation_id) in self._expected

    def arrived(self, key: QueueKey, correlation_id: str, body: bytes) -> None:
        """Hand a reply to the one who expects it, if anybody does."""
        place = _place(key, correlation_id)
        reply = self._expected.get(place)
        if reply is not None and reply.body is None:
            reply.body = body
            self._waiting.wake(place, 1)


def _place(key: QueueKey, correlation_id: str) -> QueueKey:
    # No queue has a slash in its name, so this is a place to wait at and nothing else.
    return key._replace(name=f"{key.name}/{correlation_id}")

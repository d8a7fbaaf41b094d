"""Posting: putting messages into a queue, and telling everybody whom that concerns."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from sukkal.model import NewMessage, Once, Post, Published, Queue, QueueKey
from sukkal.service.attributes import history_s
from sukkal.service.hearing import Place
from sukkal.service.listening import Kept, Listeners, history_key
from sukkal.service.waiting import Waiting
from sukkal.store import Store

__all__ = ["Posting"]


class Posting:
    """Stores posts; then wakes who waits for messages, and tells who listens.

    ``wake`` is told the backlogs that got some. ``posted`` counts messages, without the copies of them.
    """

    def __init__(
        self, store: Store, waiting: Waiting, listeners: Listeners, wake: Callable[[Sequence[QueueKey]], None]
    ) -> None:
        self._store = store
        self._waiting = waiting
        self._listeners = listeners
        self._wake = wake
        self.posted = 0

    async def publish(
        self,
        key: QueueKey,
        queue: Queue | None,
        messages: Sequence[NewMessage],
        *,
        copies: Sequence[Post] = (),
        now_ms: int,
        once: Once | None = None,
    ) -> Published:
        """Store messages in a queue, which is given as far as it exists, and the copies of them in backlogs."""
        posts = [Post(key, tuple(messages)), *copies]
        kept_s = history_s(queue.metadata) if queue is not None else 0
        if kept_s:
            posts.append(Post(history_key(key), tuple([_kept(message, kept_s) for message in messages])))
        if self._listeners.at(key):
            # Those who listen are told even if the caller goes away before the disk has answered.
            published = await asyncio.shield(asyncio.ensure_future(self._publish(posts, now_ms, once)))
            await self._listeners.eased(key)
            return published
        try:
            published = await self._store.publish(posts, now_ms=now_ms, once=once)
        except asyncio.CancelledError:
            # The caller has gone; what it posted may be there all the same.
            self._listeners.doubt(key)
            self._told(posts)
            raise
        self._stored(posts, published)
        return published

    async def _publish(self, posts: Sequence[Post], now_ms: int, once: Once | None) -> Published:
        published = await self._store.publish(posts, now_ms=now_ms, once=once)
        self._stored(posts, published)
        return published

    def _stored(self, posts: Sequence[Post], published: Published) -> None:
        # Nothing may come between the store's answer and this, or listeners would hear posts in another order.
        if published.repeated:
            return
        (key, messages), last = (posts[0].queue, posts[0].messages), posts[-1]
        self.posted += len(messages)
        if self._listeners.at(key):
            watched = -1 if last.queue.kind == "history" else 0
            epoch, sequences = published.epochs[watched], published.sequences[watched]
            new = [(message, Place(epoch, at)) for message, at in zip(messages, sequences, strict=True) if at]
            self._listeners.announce(key, [message for message, _ in new], [place for _, place in new])
        self._told(posts)

    def _told(self, posts: Sequence[Post]) -> None:
        self._waiting.wake(posts[0].queue, len(posts[0].messages))
        if len(posts) > 1 and (backlogs := [post.queue for post in posts[1:] if post.queue.kind == "backlog"]):
            self._wake(backlogs)


def _kept(message: NewMessage, kept_s: int) -> NewMessage:
    """Return what the history keeps: as long as the message may be there, and longer."""
    was = msgspec.json.encode(Kept(message.ttl_s, message.delay_s))
    return replace(message, ttl_s=max(message.ttl_s, kept_s), delay_s=0, attributes=was, key=None)

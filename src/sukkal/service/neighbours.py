"""The other nodes at the same store: what they put where, and what is told to them because the store does not keep it.

All of it only saves time: who waits or listens looks by itself now and then.
"""

from collections.abc import Collection, Sequence

import msgspec

from sukkal.model import NewMessage, QueueKey
from sukkal.service.encryption import Encryption
from sukkal.service.listening import Listeners
from sukkal.service.replies import Replies
from sukkal.service.waiting import Waiting
from sukkal.store import Shared

__all__ = ["Neighbours"]


class _Message(msgspec.Struct, frozen=True, array_like=True):
    id: str
    body: bytes
    ttl_s: int
    correlation_id: str | None


class _Word(msgspec.Struct, frozen=True, array_like=True):
    """What was posted to a queue that stores nothing."""

    project: str
    queue_name: str
    kind: str
    messages: tuple[_Message, ...]


_word = msgspec.msgpack.Decoder(_Word)


class Neighbours:
    """Hears of the other nodes, and tells them; ``shared`` is ``None`` where this process has the store for itself."""

    def __init__(
        self, shared: Shared | None, waiting: Waiting, listeners: Listeners, replies: Replies, encryption: Encryption
    ) -> None:
        self._shared = shared
        self._waiting = waiting
        self._listeners = listeners
        self._replies = replies
        self._encryption = encryption

    def hint(self, keys: Collection[QueueKey] | None) -> None:
        """Have those look who wait at queues or listen to them, ``None`` if it may be any.

        Deliveries are made by the node that took the post; what it does not come to is found by looking.
        """
        if keys is None:
            self.look_again()
            return
        for key in keys:
            if key.kind in ("queue", "topic"):
                self._waiting.look(key)
                self._listeners.look(key)

    def look_again(self) -> None:
        """Have all look who wait or listen: a hint may have got lost."""
        for key in self._waiting.places():
            self._waiting.look(key)
        for key in self._listeners.places():
            self._listeners.look(key)

    async def tell(self, key: QueueKey, messages: Sequence[NewMessage], correlation_ids: Sequence[str | None]) -> None:
        """Tell the others what was posted to a queue that stores nothing. Raises ``StoreUnavailable``."""
        if self._shared is None:
            return
        told = [
            _Message(each.id, each.body, each.ttl_s, correlation_id)
            for each, correlation_id in zip(messages, correlation_ids, strict=True)
        ]
        await self._shared.say(msgspec.msgpack.encode(_Word(key.project, key.name, key.kind, tuple(told))))

    def hear(self, what: bytes) -> None:
        """Hand on what another node has told."""
        try:
            word = _word.decode(what)
        except msgspec.DecodeError:
            return  # It is from a node of another version.
        key = msgspec.convert((word.project, word.queue_name, word.kind), QueueKey)
        messages = [NewMessage(id=each.id, body=each.body, ttl_s=each.ttl_s) for each in word.messages]
        for each in word.messages:
            if each.correlation_id is not None and self._replies.expects(key, each.correlation_id):
                body = self._encryption.open_body(key.project, each.id, each.body)
                self._replies.arrived(key, each.correlation_id, body)
        self._listeners.announce(key, messages, (None,) * len(messages))

"""Which queues are held for a move, and which were moved away."""

from collections.abc import Iterable

import apsw

from sukkal.engines.sqlite.statements import SQL
from sukkal.errors import QueueMoved
from sukkal.model import Post, QueueKey

__all__ = ["Markers"]


class Markers:
    """The markers as they are in the database; one is set here first, so that what is asked for later knows of it."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._until_ms: dict[QueueKey, int | None] = {}
        self.load()

    def load(self) -> None:
        """Read all that there are."""
        rows = self._connection.execute(SQL.markers)
        self._until_ms = {QueueKey(project, name, kind): until_ms for project, name, kind, until_ms in rows}

    def reading(self, key: QueueKey) -> None:
        """Refuse to read a queue that was moved away."""
        if self._until_ms and self._until_ms.get(key) is not None:
            raise QueueMoved("The queue was moved.")

    def writing(self, key: QueueKey) -> None:
        """Refuse to write to a queue that is held, or was moved away."""
        if key in self._until_ms:
            error = QueueMoved("The queue is being moved.")
            error.held = self._until_ms[key] is None
            raise error

    def publishing(self, posts: Iterable[Post]) -> None:
        """Refuse to post to such queues."""
        if self._until_ms:
            for post in posts:
                self.writing(post.queue)

    def put(self, keys: Iterable[QueueKey], until_ms: int | None) -> None:
        """Hold queues, or mark them as moved away until a time."""
        self._until_ms |= dict.fromkeys(keys, until_ms)

    def remove(self, keys: Iterable[QueueKey], *, holds_only: bool = False) -> None:
        """Remove the markers of queues."""
        for key in keys:
            if not holds_only or self._until_ms.get(key, 0) is None:
                self._until_ms.pop(key, None)

    def ended(self, now_ms: int) -> bool:
        """Tell whether a sweep would remove any."""
        return any(until_ms is not None and until_ms <= now_ms for until_ms in self._until_ms.values())

"""Which queues are held for a move, and which were moved away."""

from collections.abc import Iterable

import apsw

from sukkal.engines.holds import Marker, lets_go
from sukkal.engines.sqlite.statements import SQL
from sukkal.errors import QueueMoved
from sukkal.model import Post, QueueKey

__all__ = ["Markers"]


class Markers:
    """The markers as they are in the database; one is set here first, so that what is asked for later knows of it."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._markers: dict[QueueKey, Marker] = {}
        self.load()

    def load(self) -> None:
        """Read all that there are."""
        rows = self._connection.execute(SQL.markers)
        self._markers = {QueueKey(project, name, kind): Marker(*marker) for project, name, kind, *marker in rows}

    def get(self, key: QueueKey) -> Marker | None:
        """Return the marker of a queue."""
        return self._markers.get(key)

    def reading(self, key: QueueKey) -> None:
        """Refuse to read a queue that was moved away."""
        if not self._markers:
            return
        marker = self._markers.get(key)
        if marker is not None and marker.until_ms is not None:
            raise QueueMoved("The queue was moved.")

    def writing(self, key: QueueKey) -> None:
        """Refuse to write to a queue that is held, or was moved away."""
        if key in self._markers:
            error = QueueMoved("The queue is being moved.")
            error.held = self._markers[key].until_ms is None
            raise error

    def publishing(self, posts: Iterable[Post]) -> None:
        """Refuse to post to such queues."""
        if self._markers:
            for post in posts:
                self.writing(post.queue)

    def put(self, keys: Iterable[QueueKey], marker: Marker) -> None:
        """Hold queues, or mark them as moved away until a time."""
        self._markers |= dict.fromkeys(keys, marker)

    def remove(self, keys: Iterable[QueueKey]) -> None:
        """Remove the markers of queues."""
        for key in keys:
            self._markers.pop(key, None)

    def let_go(self, keys: Iterable[QueueKey], token: int) -> None:
        """Remove the holds of queues that were made with this token or a smaller one."""
        self.remove([key for key in keys if lets_go(self.get(key), token)])

    def ended(self, now_ms: int) -> bool:
        """Tell whether a sweep would remove any."""
        return any(until_ms is not None and until_ms <= now_ms for until_ms, _ in self._markers.values())

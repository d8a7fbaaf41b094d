"""The real Zaqar, with a real Redis."""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from tests.clients.zaqar import Zaqar

from bench.peers.messaging import MessagingPeer
from bench.peers.peer import Surroundings
from bench.peers.sukkal import webhook_at

__all__ = ["DurableZaqar", "NotifyingZaqar", "PlainZaqar"]

_PROCESSES = 4


class PlainZaqar(MessagingPeer):
    """Zaqar under uWSGI with a Redis as Debian ships it."""

    name = "Zaqar 23.0.1"
    durability = "in Redis' memory; on the disk with its next snapshot, within the hour"
    absent = frozenset({"push"})

    redis_flags: Sequence[str] = ("--save", "3600 1 300 100 60 10000")
    notifies = False

    @property
    def roots(self) -> Sequence[int]:
        """UWSGI and Redis."""
        return self._zaqar.pids

    async def start(self, around: Surroundings, connections: int) -> None:
        """Start it and its Redis."""
        self._zaqar = self.opened.enter_context(
            Zaqar(around.folder, *self.redis_flags, processes=_PROCESSES, notifies=self.notifies, prepare=around.pin)
        )
        parts = urlsplit(self._zaqar.url)
        await self.connect((str(parts.hostname), parts.port or 80), connections)

    async def listen(self, case: str, heard: Callable[[], None]) -> None:
        """Subscribe a receiver: nothing else is pushed by Zaqar itself."""
        await webhook_at(self, case, heard)


class DurableZaqar(PlainZaqar):
    """Zaqar with a Redis that syncs each command."""

    name = "Zaqar 23.0.1, durable"
    durability = "on the disk (Redis, appendfsync always)"
    redis_flags = ("--save", "", "--appendonly", "yes", "--appendfsync", "always")


class NotifyingZaqar(PlainZaqar):
    """Zaqar that calls a URL for each message."""

    name = "Zaqar 23.0.1, webhook"
    absent = frozenset({"post", "take", "list"})
    notifies = True

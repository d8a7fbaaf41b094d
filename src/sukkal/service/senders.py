"""The sinks by the schemes of the subscribers that they deliver to."""

from collections.abc import Mapping, Sequence
from typing import Any

from sukkal.errors import InvalidRequest
from sukkal.sink import Sink

__all__ = ["Senders"]


class Senders:
    """All sinks of the service."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._by_scheme = {scheme: sink for sink in sinks for scheme in sink.schemes}

    def of(self, subscriber: str) -> Sink | None:
        """Return the sink of a subscriber; ``None`` if the service does not have it (any more)."""
        return self._by_scheme.get(_scheme(subscriber))

    def check(self, subscriber: str, options: Mapping[str, Any]) -> None:
        """Refuse a subscriber that could never be delivered to. Raises ``InvalidRequest``."""
        sink = self.of(subscriber)
        if sink is None:
            raise InvalidRequest(
                f"The subscriber type of subscription must be supported in the list {sorted(self._by_scheme)}."
            )
        sink.check(subscriber, options)

    async def close(self) -> None:
        """Let go of all connections."""
        for sink in {id(sink): sink for sink in self._by_scheme.values()}.values():
            await sink.close()


def _scheme(subscriber: str) -> str:
    return subscriber.partition(":")[0].lower()

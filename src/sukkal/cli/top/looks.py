"""What one look at the queues of a project shows."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from sukkal.client import Client

__all__ = ["SORTS", "Line", "Looking"]

_AT_ONCE: Final = 20
_SUBSCRIPTIONS_EVERY: Final = 5


class Line(NamedTuple):
    """A queue: how many messages it has, how old the oldest is, and what comes and goes each second.

    What is not known is ``None``: the rates at the first look, and of queues that cannot be listened to.
    """

    queue: str
    free: int
    claimed: int
    delayed: int
    oldest_s: int | None
    in_per_s: float | None
    out_per_s: float | None
    subscriptions: int

    @property
    def depth(self) -> int:
        """All messages that are there."""
        return self.free + self.claimed + self.delayed


SORTS: Final[Mapping[str, Callable[[Line], Any]]] = {
    "depth": lambda line: (-line.depth, line.queue),
    "age": lambda line: (-(line.oldest_s or 0), line.queue),
    "in": lambda line: (-(line.in_per_s or 0), line.queue),
    "out": lambda line: (-(line.out_per_s or 0), line.queue),
    "name": lambda line: line.queue,
}


class Looking:
    """Looks again and again, and tells the rates since the last time."""

    def __init__(self, client: "Client", *, pattern: str | None, limit: int) -> None:
        self._client = client
        self._pattern = pattern
        self._limit = limit
        self._looks = 0
        self._totals: dict[str, int] = {}
        self._subscriptions: dict[str, int] = {}

    async def look(self, posted: Mapping[str, int], seconds: float) -> list[Line]:
        """Return the queues. ``posted`` is what came to them in the ``seconds`` since the last look."""
        names = []
        async for each in self._client.queues(name=self._pattern):
            names.append(each.name)
            if len(names) == self._limit:
                break
        free = asyncio.Semaphore(_AT_ONCE)

        async def ask(name: str) -> Line | None:
            async with free:
                return await self._line(name, posted.get(name), seconds)

        lines = [line for line in await asyncio.gather(*map(ask, names)) if line is not None]
        self._totals = {line.queue: line.depth for line in lines}
        self._looks += 1
        return lines

    async def _line(self, name: str, posted: int | None, seconds: float) -> Line | None:
        from sukkal.client.refusals import NotFound

        path = f"/v2/queues/{quote(name, safe='')}/stats"
        try:
            answer = await self._client.request("GET", path, repeatable=True)
            if self._looks % _SUBSCRIPTIONS_EVERY == 0 or name not in self._subscriptions:
                subscriptions = self._client.queue(name).subscriptions.all()
                self._subscriptions[name] = len([each async for each in subscriptions])
        except NotFound:  # It went meanwhile.
            return None
        counts = answer.member("messages", dict)
        oldest = counts.get("oldest")
        total, before = int(counts["total"]), self._totals.get(name)
        came = gone = None
        if posted is not None and before is not None and seconds > 0:
            came = posted / seconds
            gone = max(posted - (total - before), 0) / seconds
        return Line(
            queue=name,
            free=int(counts["free"]) - int(counts.get("delayed", 0)),
            claimed=int(counts["claimed"]),
            delayed=int(counts.get("delayed", 0)),
            oldest_s=int(oldest["age"]) if isinstance(oldest, dict) else None,
            in_per_s=came,
            out_per_s=gone,
            subscriptions=self._subscriptions[name],
        )

"""A source and a publisher that do what a test says, and the route between them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from sukkal.format import Event
from sukkal.formats import Registry
from sukkal.forwarder.masks import Masks
from sukkal.forwarder.pauses import Pauses
from sukkal.forwarder.pipeline import Audience, Pipeline, Selection
from sukkal.forwarder.route import Route
from sukkal.forwarder.tenants import Tenants
from sukkal.publisher import ACCEPTED, Notification, Verdict
from sukkal.source import Arrival, SourceUnavailable

__all__ = ["Letters", "ScriptedPublisher", "ScriptedSource", "arrival", "route"]


def arrival(id_: str, *, project: str = "p-1", token: object = None) -> Arrival:
    """Return an event of a project as it comes; the token is its id unless it says otherwise."""
    document = {"specversion": "1.0", "id": id_, "source": "/s", "type": "t", "osprojectid": project}
    return Arrival(body=json.dumps(document).encode(), place="q", id="", token=token or id_)


class ScriptedSource:
    """Brings what it is given. ``None`` in it is a connection that is lost, the end of the list the end of the test."""

    window = 500

    def __init__(self, *script: Arrival | None) -> None:
        self.acknowledged: list[object] = []
        self._script = list(script)
        self.finished = asyncio.Event()

    async def receive(self) -> AsyncIterator[Arrival]:
        """Bring the next ones."""
        while self._script:
            if (each := self._script.pop(0)) is None:
                raise SourceUnavailable("It is gone.")
            yield each
        self.finished.set()
        await asyncio.Event().wait()

    async def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Remember them."""
        self.acknowledged += [each.token for each in arrivals]

    async def waiting(self) -> int | None:
        """Return what is left of the script."""
        return len(self._script)

    async def close(self) -> None:
        """Do nothing."""


class ScriptedPublisher:
    """Asks a function for the verdict of each event, and keeps what it was asked to publish."""

    batch_max = 3

    def __init__(self, judge: Callable[[Event], Verdict] = lambda event: ACCEPTED) -> None:
        self.asked: list[list[str]] = []
        self.accepted: list[str] = []
        self._judge = judge

    def lane(self, notification: Notification) -> str:
        """Return the project."""
        return notification.project or ""

    async def publish(self, notifications: Sequence[Notification]) -> Sequence[Verdict]:
        """Ask for the verdicts."""
        self.asked.append([each.event.id for each in notifications])
        await asyncio.sleep(0)
        verdicts = [self._judge(each.event) for each in notifications]
        for each, verdict in zip(notifications, verdicts, strict=True):
            if verdict.accepted:
                self.accepted.append(each.event.id)
        return verdicts

    async def close(self) -> None:
        """Do nothing."""


class Letters:
    """Dead letters, kept in a list."""

    def __init__(self) -> None:
        self.kept: list[tuple[bytes, str]] = []

    async def put(self, route: str, body: bytes, reason: str) -> None:
        """Keep one."""
        self.kept.append((body, reason))

    async def close(self) -> None:
        """Do nothing."""


def route(source: Any, publisher: Any, letters: Letters, pauses_s: list[float] | None = None) -> Route:
    """Return a route whose pauses take no time and are written into a list."""

    async def sleep(seconds: float) -> None:
        if pauses_s is not None:
            pauses_s.append(seconds)
        await asyncio.sleep(0)

    pipeline = Pipeline(Registry(), Selection(), Tenants(), Masks([]), Audience.TENANT)
    pauses = Pauses(lambda: 1.0, sleep, longest_s=30)
    return Route("s.p", source, publisher, pipeline, letters, pauses, now_ms=lambda: 5_000, attempts_max=3)

"""Counting what is posted to queues, by listening to them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from sukkal.client import Client
    from sukkal.client.frames import Frames

__all__ = ["Posts"]

_QUEUES_MAX: Final = 100  # As many subscriptions as one connection may have.
_ANSWER_S: Final = 10.0


class Posts:
    """Listens to queues over one connection while it is waited for, and counts."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._stack = contextlib.AsyncExitStack()
        self._frames: Frames | None = None
        self._heard: set[str] = set()
        self._counts: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def listen_to(self, queues: Iterable[str]) -> None:
        """Listen to these queues too, as far as that is permitted; the counting of a new one begins now."""
        from sukkal.client import Refused, Unreachable

        try:
            if self._frames is None:
                self._frames = await self._stack.enter_async_context(self._client.frames())
            for queue in [each for each in queues if each not in self._heard]:
                if len(self._heard) == _QUEUES_MAX:
                    return
                body = {"queue_name": queue, "resume": True}
                await self._frames.ask("subscription_create", body, timeout_s=_ANSWER_S)
                self._heard.add(queue)
        except (Refused, Unreachable):
            await self._forget()

    async def count(self) -> None:
        """Count until it is cancelled."""
        from sukkal.client import Unreachable

        while self._frames is not None:
            try:
                frame = await self._frames.tell()
            except Unreachable:
                await self._forget()
                break
            if "body" in frame:
                self._counts[str(frame.get("queue_name"))] += 1
        await asyncio.Event().wait()

    def take(self) -> Mapping[str, int]:
        """Return how much was posted to each queue that is listened to since the last time."""
        counts, self._counts = self._counts, Counter()
        return {queue: counts[queue] for queue in self._heard}

    async def _forget(self) -> None:
        self._frames = None
        self._heard.clear()
        self._counts.clear()
        await self._stack.aclose()

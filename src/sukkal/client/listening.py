"""Listening to a queue: what is posted is told when it is posted, and again from where one was after a cut."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from sukkal.client.asking import Asking
from sukkal.client.errors import ClientError, MessagesMissed, Refused, Unexpected, Unreachable
from sukkal.client.frames import Frames

__all__ = ["Heard", "Listening"]

_ANSWER_S: Final = 30.0


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """A message as listeners hear it. Whoever listens again ``since`` its position hears what came after it.

    Of a queue that stores nothing there are no positions.
    """

    body: Any
    ttl: int
    queue_name: str
    message_id: str | None = None
    position: str | None = None
    delay: int | None = None


class Listening:
    """What is posted to a queue, as it is posted: ``async for heard in listening``.

    It survives cuts and restarts of the service: it comes back with the last position, and is told what it missed. If
    something of that is gone, ``on_gap`` is told, and it goes on; without ``on_gap``, ``MessagesMissed`` is raised, and
    another loop over the same object goes on. Used as a context it listens from the beginning of the block on, else
    from the first step of the loop.
    """

    def __init__(
        self,
        asking: Asking,
        queue: str,
        *,
        since: str | None,
        filters: Sequence[Mapping[str, Any]] | None,
        form: str | None,
        on_gap: Callable[[MessagesMissed], None] | None,
    ) -> None:
        self._asking = asking
        self._queue = queue
        self._options: dict[str, Any] = {}
        if filters is not None:
            self._options["filters"] = list(filters)
        if form is not None:
            self._options["format"] = form
        self._on_gap = on_gap
        self._begun = since is not None
        self._stack = contextlib.AsyncExitStack()
        self._frames: Frames | None = None
        self._failures = 0
        self.position = since
        """Behind what was told last."""

    async def __aenter__(self) -> "Listening":
        await self._connected()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[Heard]:
        return self._each()

    async def aclose(self) -> None:
        """Listen no more. Closing twice is harmless."""
        self._frames = None
        await self._stack.aclose()

    async def _each(self) -> AsyncGenerator[Heard, None]:
        try:
            while True:
                yield await self._next()
        except MessagesMissed:
            raise  # What comes behind the gap is on its way.
        except BaseException:
            await self.aclose()
            raise

    async def _next(self) -> Heard:
        while True:
            frames = await self._connected()
            try:
                heard = _read(await frames.tell())
            except Unreachable:
                await self._pause(None)
                continue
            if heard is not None:
                self._failures = 0
                self.position = heard.position or self.position
                return heard

    async def _connected(self) -> Frames:
        while self._frames is None:
            try:
                await self._connect()
            except Unreachable as error:
                await self._pause(error)
            except Refused as refused:
                if not refused.may_succeed_later:
                    raise
                await self._pause(refused)
        return self._frames

    async def _connect(self) -> None:
        frames = await self._stack.enter_async_context(self._asking.connection.frames())
        body: dict[str, Any] = {"queue_name": self._queue, "resume": True if self.position is None else self.position}
        if self._options:
            body["options"] = self._options
        answer = await frames.ask("subscription_create", body, timeout_s=_ANSWER_S)
        since, position = self.position, answer.get("position")
        # Without a position nobody can know what was posted in between.
        missed = self._begun and (since is None or answer.get("recovered") is False)
        if missed or since is None:
            self.position = position if isinstance(position, str) else None
        self._begun, self._frames = True, frames
        if missed:
            gap = MessagesMissed(self._queue, since)
            if self._on_gap is None:
                raise gap
            self._on_gap(gap)

    async def _pause(self, error: ClientError | None) -> None:
        await self.aclose()
        await asyncio.sleep(self._asking.pause_s(self._failures, error))
        self._failures += 1


def _read(frame: Mapping[str, Any]) -> Heard | None:
    if "body" not in frame:
        return None
    try:
        return msgspec.convert(frame, Heard)
    except msgspec.ValidationError:
        raise Unexpected("What answered is not the service: its frame is not one of the service's.") from None

"""Consuming a queue: every message is acknowledged when its work is done, and given back when it fails."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self

from sukkal.client.asking import Asking, Retries
from sukkal.client.claiming import Claiming, Terms
from sukkal.client.errors import ClientError, LeaseLost, Refused
from sukkal.client.held import HeldMessage

__all__ = ["Consumer", "Handler", "Open", "Server"]

Handler = Callable[[HeldMessage], Awaitable[None]]
"""Does the work of a message."""

Server = Callable[[HeldMessage], Awaitable[Any]]
"""Does what a call asks for and returns the reply."""

_log: Final = logging.getLogger("sukkal.client")
_ENDING_S: Final = 5.0
_AFTER_FAILURE: Final = Retries(first_s=1, longest_s=300)


class Open:
    """What a client has to end before it goes."""

    def __init__(self) -> None:
        self._open: set[Consumer] = set()

    def add(self, consumer: "Consumer") -> None:
        """Remember a consumer that has begun."""
        self._open.add(consumer)

    def remove(self, consumer: "Consumer") -> None:
        """Forget one that has ended."""
        self._open.discard(consumer)

    async def close(self) -> None:
        """End all of them."""
        await asyncio.gather(*(consumer.aclose() for consumer in list(self._open)))


class Consumer:
    """The messages of a queue, one after another: ``async for message in consumer``.

    A message is acknowledged when the loop goes on to the next one. When the loop is left, by an exception or by
    ``break``, the message at hand and those that were claimed ahead are given back: at once as a rule, and for certain
    when the consumer, used as a context, or its client ends.
    """

    def __init__(self, asking: Asking, path: str, terms: Terms, open_: Open) -> None:
        self._claiming = Claiming(asking, path, terms)
        self._asking = asking
        self._open = open_
        self._begun = False
        self._closing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[HeldMessage]:
        return self._each()

    async def take(self) -> HeldMessage | None:
        """Return the next message, which the caller settles, or ``None`` when there will be none.

        Raises ``ClientError`` for what will not pass by itself.
        """
        await self._begin()
        return await self._claiming.take()

    async def aclose(self) -> None:
        """Take no more, and give back what is held. Closing twice is harmless."""
        if not self._begun:
            return
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close())
        # Whoever is cancelled meanwhile leaves it to end by itself.
        await asyncio.shield(self._closing)

    async def work(self, handler: Handler, *, at_once: int) -> None:
        """Have ``handler`` do the work of the messages, of so many at once, until there will be none.

        A message whose handler fails is given back, with a delay that grows with every time it was claimed.
        """

        async def worker() -> None:
            while (message := await self.take()) is not None:
                await self._do(handler, message)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(worker())
        except ExceptionGroup as group_error:
            raise _first(group_error) from None
        finally:
            await self.aclose()

    async def serve(self, server: Server, *, at_once: int) -> None:
        """Reply to calls with what ``server`` returns, to so many at once."""

        async def handler(message: HeldMessage) -> None:
            reply = await server(message)
            if message.message.reply_to is None or message.settled:
                return
            try:
                await message.reply(reply)
            except Refused as refused:
                # The caller has gone, and its queue with it.
                _log.warning("the reply to message %s was refused: %s", message.id, refused)

        await self.work(handler, at_once=at_once)

    async def _begin(self) -> None:
        if self._closing is not None:
            raise RuntimeError("The consumer has ended.")
        if not self._begun:
            self._begun = True
            self._open.add(self)
            await self._claiming.begin()

    async def _close(self) -> None:
        try:
            await self._claiming.close()
        finally:
            self._open.remove(self)

    async def _each(self) -> AsyncGenerator[HeldMessage, None]:
        try:
            while (message := await self.take()) is not None:
                yield message
                await _acknowledge(message)
        finally:
            await self.aclose()

    async def _do(self, handler: Handler, message: HeldMessage) -> None:
        try:
            await handler(message)
        except Exception:  # noqa: BLE001 - it is the handler's, and told in the log
            _log.exception("message %s was not done", message.id)
            pause_s = _AFTER_FAILURE.pause_s(max(message.claim_count - 1, 0), self._asking.chance.share())
            if not message.settled:
                with contextlib.suppress(ClientError):  # Then it comes back when its claim has ended.
                    await message.release(delay=round(pause_s))
                message.lose()
            return
        await _acknowledge(message)


async def _acknowledge(message: HeldMessage) -> None:
    """Acknowledge a message that was done, or say that it will be done again.

    Whoever is cancelled meanwhile lets it come to its end first, so that the work is not done twice.
    """
    if message.settled:
        return
    acknowledging = asyncio.get_running_loop().create_task(_ack(message))
    try:
        await asyncio.shield(acknowledging)
    except asyncio.CancelledError:
        await asyncio.wait((acknowledging,), timeout=_ENDING_S)
        raise


async def _ack(message: HeldMessage) -> None:
    try:
        await message.ack()
    except LeaseLost:
        _log.warning("message %s was done, but its claim had ended before: it may be done again", message.id)
    except ClientError as error:
        _log.warning("message %s was done, but could not be acknowledged and may be done again: %s", message.id, error)
        message.lose()


def _first(group: "ExceptionGroup[Exception]") -> Exception:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error

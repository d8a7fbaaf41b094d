"""Bringing a queue into another engine, page by page, while it is used."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from sukkal.model import QueueKey
from sukkal.moving import Frame, Stored
from sukkal.pools.asking import Ask

__all__ = ["Copying"]

_PAGE: Final = 200
_PAGE_BYTES: Final = 4_194_304
"""A page ends with the message that makes it as large as this."""
_MOST: Final = 2**62


class Copying:
    """One queue, hidden or not, on its way. It begins anew by itself if the queue is cleared or made anew meanwhile.

    ``go_on`` is called after each page, and raises if somebody else moves queues now.
    """

    def __init__(
        self, ask: Ask, key: QueueKey, source: str, target: str, *, token: int, go_on: Callable[[], Awaitable[None]]
    ) -> None:
        self.key = key
        self._ask = ask
        self._source = source
        self._target = target
        self._token = token
        self._go_on = go_on
        self._epoch: int | None = None
        self._sequence = -1
        self._change = 0
        self._most = _MOST

    async def catch_up(self, now_ms: int, *, most: int = _MOST) -> int:
        """Bring over what has come or changed since the last time, and return how many messages that were.

        Of what changes meanwhile at most about so many are brought over now; of a held queue nothing is left.
        """
        self._most = most
        frame = await self._frame(now_ms)
        if frame is None:
            return 0
        return await self._bring_new(frame, now_ms) + await self._bring_changed(frame, now_ms)

    async def finish(self, now_ms: int) -> None:
        """Bring over what has no history. The queue must be held, and have been caught up with."""
        frame = await self._frame(now_ms)
        after: tuple[str, str] | None = ("", "")
        while frame is not None and after is not None:
            page = await self._ask(self._source, "details", self.key, after, limit=_PAGE, now_ms=now_ms)
            await self._stage(frame, now_ms, details=page)
            after = page.next

    async def _frame(self, now_ms: int) -> Frame | None:
        frame: Frame | None = await self._ask(self._source, "frame", self.key)
        if self._epoch != (None if frame is None else frame.epoch):
            await self._ask(self._target, "drop_staged", (self.key,), token=self._token)
            self._epoch, self._sequence, self._change = None, -1, 0
            if frame is not None:
                await self._ask(self._source, "follow", self.key, token=self._token)
                # Its numbers have to be greater than those that anybody knows of the source.
                await self._stage(frame, now_ms)
                self._epoch = frame.epoch
        return frame

    async def _stage(self, frame: Frame, now_ms: int, **what: Any) -> None:
        await self._ask(self._target, "stage", frame, now_ms=now_ms, token=self._token, **what)
        await self._go_on()

    async def _bring_new(self, frame: Frame, now_ms: int) -> int:
        # In the order of posting, which is that in which the target keeps them.
        brought = 0
        while True:
            page = await self._page("stored_after", self._sequence, now_ms)
            if page:
                await self._stage(frame, now_ms, stored=page)
                self._sequence = page[-1].message.sequence
                brought += len(page)
            # What is posted faster than it is brought over waits for the next time.
            if not _is_full(page, len(page)) or self._sequence > frame.last:
                return brought

    async def _bring_changed(self, frame: Frame, now_ms: int) -> int:
        brought = 0
        while True:
            found = await self._page("changes", self._change, now_ms)
            if found.next is None:
                return brought
            await self._stage(frame, now_ms, stored=found.stored, gone=found.gone)
            self._change = found.next
            changed = len(found.stored) + len(found.gone)
            brought += changed
            if not _is_full(found.stored, changed) or brought > self._most:
                return brought

    async def _page(self, call: str, after: int, now_ms: int) -> Any:
        return await self._ask(self._source, call, self.key, after, limit=_PAGE, now_ms=now_ms, bytes_max=_PAGE_BYTES)


def _is_full(stored: Sequence[Stored], rows: int) -> bool:
    """Tell whether more may come behind a page."""
    return rows >= _PAGE or sum([len(each.message.body) for each in stored]) >= _PAGE_BYTES
